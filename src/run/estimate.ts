import { freemem } from 'node:os';
import type { Engine } from '../engine';
import {
  countFlops,
  elementCount,
  input,
  inputName,
  keptInputs,
  matMul,
  peakBytes,
  programResults,
  reduceSum,
  type Program,
  type Tensor,
} from '../graph';
import type { Growth } from '../growth';
import type { BatchShape } from '../training';
import { learningProgram } from './plan';
import type { LigoSettings } from './settings';

/** What a step takes on this machine, and how that was found. */
export interface StepEstimate {
  readonly secondsPerStep: number;
  /**
   * `step`: steps of this very program were timed, on zeros. `products`: only a matrix product of the
   * target's sizes was, as a step is too large to try; the real one takes longer.
   */
  readonly from: 'step' | 'products';
}

/** A step is tried when its products take less than this, seconds. */
const longestTrial = 5;
const products = { rows: 1024, pairs: 4, runs: 5 };

/** Estimates a step of learning operators by short measurements on the engine. */
export const estimateStep = (
  engine: Engine,
  growth: Growth,
  settings: LigoSettings,
  shape: BatchShape,
): Promise<StepEstimate> =>
  estimateProgram(engine, growth, learningProgram(growth, settings, shape).program);

/** Estimates one run of a program that computes with the target of a growth. */
export async function estimateProgram(
  engine: Engine,
  growth: Growth,
  program: Program,
): Promise<StepEstimate> {
  const results = programResults(program);
  const bound = countFlops(results).matrix * (await secondsPerProductFlop(engine, growth));
  if (bound > longestTrial || peakBytes(results) > freemem() / 2) {
    return { secondsPerStep: bound, from: 'products' };
  }
  return { secondsPerStep: await fastestRun(engine, program, 3), from: 'step' };
}

async function secondsPerProductFlop(engine: Engine, { target }: Growth): Promise<number> {
  const { hiddenSize, intermediateSize } = target.dimensions;
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
    for (let run = 0; run < runs; run++) {
      const started = performance.now();
      await executable.run(feeds);
      fastest = Math.min(fastest, (performance.now() - started) / 1000);
    }
    return fastest;
  } finally {
    await executable.dispose();
  }
}
