import { recognizeArchitecture } from '../architecture';
import type { Engine, NamedData } from '../engine';
import { elementCount, inputName, type Tensor, type TensorData } from '../graph';
import { initialOperators, smallInputName, type Growth } from '../growth';
import { randomGenerator } from '../random';
import { optimizerFeeds } from '../training';
import { learningProgram } from '../run/plan/plan';
import { defaultLigoSettings, operatorGroups, optimizerOptions } from '../run/settings';

/** What an engine made of the self test. */
export interface SelfTestSteps {
  /** Nats, one a step. */
  readonly losses: readonly number[];
  /** Of the fastest step after the first, which also sets memory up. */
  readonly secondsPerStep: number;
}

const steps = 3;
// Rates at which the loss falls, so that rounding is not blown up over the steps.
const rates = { widthLearningRate: 1e-3, depthLearningRate: 1e-3 };
const settings = { ...defaultLigoSettings, ...rates, steps, warmup: 0 };
const shape = { batchSize: 2, sequenceLength: 8, targets: 14 };
const config = {
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  n_layer: 1,
  n_embd: 16,
  n_head: 2,
  vocab_size: 32,
  n_positions: 8,
};

/** Tensors of that GPT-2 by name: stored sizes, as in a checkpoint's header. */
function tensors(): Map<string, { shape: number[] }> {
  const hidden = config.n_embd;
  const linear = (name: string, inputs: number, outputs: number) =>
    [
      [`${name}.weight`, [inputs, outputs]],
      [`${name}.bias`, [outputs]],
    ] as const;
  const norm = (name: string) =>
    [
      [`${name}.weight`, [hidden]],
      [`${name}.bias`, [hidden]],
    ] as const;
  const all: readonly (readonly [string, readonly number[]])[] = [
    ['wte.weight', [config.vocab_size, hidden]],
    ['wpe.weight', [config.n_positions, hidden]],
    ...norm('h.0.ln_1'),
    ...linear('h.0.attn.c_attn', hidden, 3 * hidden),
    ...linear('h.0.attn.c_proj', hidden, hidden),
    ...norm('h.0.ln_2'),
    ...linear('h.0.mlp.c_fc', hidden, 4 * hidden),
    ...linear('h.0.mlp.c_proj', 4 * hidden, hidden),
    ...norm('ln_f'),
  ];
  return new Map(all.map(([name, sizes]) => [`transformer.${name}`, { shape: [...sizes] }]));
}

/** A GPT-2 of 16 hidden units that grows to 2 layers of 24. */
function tinyGrowth(): Growth {
  const source = recognizeArchitecture(config, tensors()).architecture;
  const dimensions = {
    numHiddenLayers: 2,
    hiddenSize: 24,
    numAttentionHeads: 3,
    intermediateSize: 96,
  };
  return { source, target: source.resized(dimensions) };
}

/**
 * Trains the operators of a tiny growth for three steps, on the same numbers everywhere: matrix
 * products, softmax, gathering, layer norms and AdamW, as in every run.
 */
export async function selfTestSteps(engine: Engine): Promise<SelfTestSteps> {
  const growth = tinyGrowth();
  const { program, weights } = learningProgram(growth, settings, shape);
  const executable = await engine.compile(program);
  try {
    executable.load({
      ...randomValues([...weights.small.values()], normWeights(growth)),
      ...initialOperators(growth, settings.initialization, 0),
    });
    const batch = tinyBatch();
    const losses: number[] = [];
    const seconds: number[] = [];
    for (let step = 1; step <= steps; step++) {
      const feeds = optimizerFeeds(operatorGroups(settings), optimizerOptions(settings), step, 1);
      const started = performance.now();
      const { loss } = await executable.run({ ...batch, ...feeds });
      seconds.push((performance.now() - started) / 1000);
      losses.push(loss![0]!);
    }
    return { losses, secondsPerStep: Math.min(...seconds.slice(1)) };
  } finally {
    await executable.dispose();
  }
}

/** Names of the small model's inputs that norms multiply by. */
const normWeights = ({ source }: Growth): ReadonlySet<string> =>
  new Set(
    source.parameters
      .filter(({ module, part }) => module === 'norm' && part === 'weight')
      .map(smallInputName),
  );

/** Small weights around 0; around 1 where a norm multiplies. */
function randomValues(
  inputs: readonly Tensor[],
  norms: ReadonlySet<string>,
): Record<string, Float32Array> {
  return Object.fromEntries(
    inputs.map((tensor, index) => {
      const name = inputName(tensor);
      const random = randomGenerator(index, 0x73656c66);
      const center = norms.has(name) ? 1 : 0;
      const value = () => center + 0.4 * (random.uniform() - 0.5);
      return [name, Float32Array.from({ length: elementCount(tensor.shape) }, value)];
    }),
  );
}

function tinyBatch(): NamedData {
  const { batchSize, sequenceLength, targets } = shape;
  const token = (index: number): number => (index * 7 + 3) % config.vocab_size;
  const positions = Int32Array.from({ length: batchSize * sequenceLength }, (_, at) => at).filter(
    at => at % sequenceLength < sequenceLength - 1,
  );
  const batch: Record<string, TensorData> = {
    input_ids: Int32Array.from({ length: batchSize * sequenceLength }, (_, at) => token(at)),
    positions,
    targets: positions.map(at => token(at + 1)),
    weights: new Float32Array(targets).fill(1 / targets),
  };
  return batch;
}
