import type { Engine } from '../../engine';
import { freeMemory } from '../../engine/memory';
import {
  countFlops,
  elementCount,
  input,
  inputName,
  keptInputs,
  matMul,
  reduceSum,
  type Program,
  type Tensor,
} from '../../graph';
import type { Growth } from '../../growth';
import type { BatchShape } from '../../training';
import { deepestBuilt, type ProgramCost } from './growthCost';
import { learningProgram } from './plan';
import { scoringFlops } from './scoringCost';
import type { LigoSettings } from '../settings';

/** What a step takes on this machine, and how that was found. */
export interface StepEstimate {
  readonly secondsPerStep: number;
  /**
   * `step`: steps of this very program were timed, on zeros. `products`: only a matrix product of the
   * target's sizes was, as a step is too large to try; the real one takes longer.
   */
  readonly from: 'step' | 'products';
}

/** What a step of learning takes on this machine, and a held-out batch. */
export interface LearningEstimate extends StepEstimate {
  /**
   * Seconds in which both models are scored on a batch, by its operations beside those of a step; absent
   * where they are too few to be told.
   */
  readonly secondsPerScoring?: number;
}

/** Seconds of scoring that are worth telling: what is shorter is shown as none. */
const shortestScoring = 0.05;
/** A step is tried when its products take less than this, seconds, and it is not too deep to build. */
const longestTrial = 0.5;
/** And when it needs less than this, bytes: a plan answers at once and takes little. */
const largestTrial = 250e6;
/** Runs are repeated for this long, seconds. */
const repeatedFor = 0.4;
/** Sizes beyond these are not timed: products are as fast there. */
const products = { rows: 1024, pairs: 4, runs: 5, hiddenSize: 512, intermediateSize: 2048 };

/** Estimates a step of learning operators, of known cost, by short measurements on the engine. */
export async function estimateStep(
  engine: Engine,
  growth: Growth,
  settings: LigoSettings,
  shape: BatchShape,
  cost: ProgramCost,
): Promise<LearningEstimate> {
  const build = () => learningProgram(growth, settings, shape).program;
  const step = await estimateProgram(engine, growth, cost, build);
  const share = scoringFlops(growth, shape) / (cost.flops.matrix + cost.flops.other);
  const secondsPerScoring = share * step.secondsPerStep;
  return { ...step, ...(secondsPerScoring >= shortestScoring && { secondsPerScoring }) };
}

/**
 * Estimates one run of a program of known cost that computes with the target of a growth. It is built
 * only where it can be tried at once.
 */
export async function estimateProgram(
  engine: Engine,
  growth: Growth,
  { flops, peakBytes }: ProgramCost,
  build: () => Program,
): Promise<StepEstimate> {
  const bound = flops.matrix * (await secondsPerProductFlop(engine, growth));
  const isDeep = growth.target.dimensions.numHiddenLayers > deepestBuilt;
  if (isDeep || bound > longestTrial || peakBytes > Math.min(largestTrial, freeMemory() / 2)) {
    return { secondsPerStep: bound, from: 'products' };
  }
  return { secondsPerStep: await fastestRun(engine, build(), 3), from: 'step' };
}

async function secondsPerProductFlop(engine: Engine, { target }: Growth): Promise<number> {
  const hiddenSize = Math.min(products.hiddenSize, target.dimensions.hiddenSize);
  const intermediateSize = Math.min(products.intermediateSize, target.dimensions.intermediateSize);
  const x = input('x', [products.rows, hiddenSize]);
  const up = input('up', [hiddenSize, intermediateSize]);
  const down = input('down', [intermediateSize, hiddenSize]);
  let value = x;
  for (let pair = 0; pair < products.pairs; pair++) value = matMul(matMul(value, up), down);
  // One number comes back, so that the copying of results is not timed.
  const result = reduceSum(value);
  const program = { feeds: [], frozen: [x, up, down], state: [], outputs: { result } };
  return (await fastestRun(engine, program, products.runs)) / countFlops([result]).matrix;
}

/** Seconds of the fastest of some runs on zeros: others may use the machine too. */
async function fastestRun(engine: Engine, program: Program, runs: number): Promise<number> {
  const zeros = (tensors: readonly Tensor[]) =>
    Object.fromEntries(
      tensors.map(tensor => {
        const size = elementCount(tensor.shape);
        return [
          inputName(tensor),
          tensor.type === 'int32' ? new Int32Array(size) : new Float32Array(size),
        ];
      }),
    );
  const executable = await engine.compile(program);
  try {
    executable.load(zeros(keptInputs(program)));
    const feeds = zeros(program.feeds);
    // The first run also sets up memory.
    await executable.run(feeds);
    let fastest = Infinity;
    const begun = performance.now();
    for (let run = 0; run < runs; run++) {
      if (run > 0 && performance.now() - begun > 1000 * repeatedFor) break;
      const started = performance.now();
      await executable.run(feeds);
      fastest = Math.min(fastest, (performance.now() - started) / 1000);
    }
    return fastest;
  } finally {
    await executable.dispose();
  }
}
