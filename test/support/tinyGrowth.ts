import {
  recognizeArchitecture,
  type Architecture,
  type Dimensions,
  type ModelConfig,
} from '../../src/architecture';
import { elementCount, type TensorData } from '../../src/graph';
import {
  initializeOperators,
  operatorsOf,
  smallInputName,
  sourcesOf,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../src/growth';
import { randomGenerator } from '../../src/random';
import { batchFeeds, type BatchFeeds } from '../../src/training';
import { familyNames, readFixture, sizesFor, type FamilyName } from '../unit/architecture/fixtures';
import { fixture, fixtureJson } from './fixtures';
import { uniform } from './random';
import { readSafetensors } from './safetensors';

/** The models that growth is tested with; BERT's head once tied, once not. */
export const smallModels = [...familyNames, 'untied bert'] as const;
export type SmallModel = FamilyName | 'untied bert';

/** Sizes at which float64 in plain JavaScript takes milliseconds. */
export const smallSizes: Dimensions = {
  numHiddenLayers: 2,
  hiddenSize: 8,
  numAttentionHeads: 2,
  intermediateSize: 12,
};

/** How a small model may grow. */
export const targets = {
  'in width': {
    numHiddenLayers: 2,
    hiddenSize: 12,
    numAttentionHeads: 3,
    intermediateSize: 20,
  },
  'in depth': { ...smallSizes, numHiddenLayers: 5 },
  'in both': {
    numHiddenLayers: 3,
    hiddenSize: 12,
    numAttentionHeads: 3,
    intermediateSize: 18,
  },
  'in its feed-forward size': { ...smallSizes, intermediateSize: 24 },
} as const satisfies Record<string, Dimensions>;

/** A model of the given family at tiny sizes; its vocabulary or images stay the fixture's. */
export function smallArchitecture(
  model: SmallModel,
  sizes = smallSizes,
  changes: ModelConfig = {},
): Architecture {
  if (model !== 'untied bert') {
    const { config, tensors } = readFixture(model);
    const changed = { ...config, ...changes };
    const { architecture } = recognizeArchitecture(changed, tensors);
    return architecture.resized(sizesFor(architecture, sizes));
  }
  const { small } = fixtureJson<{ small: ModelConfig }>('ligo-official/golden.json');
  const tensors = readSafetensors(fixture('ligo-official/small.safetensors'));
  return recognizeArchitecture(small, tensors).architecture.resized(sizes);
}

/** A growth of a tiny model to the given sizes. */
export function tinyGrowth(model: SmallModel, target: Dimensions, sizes = smallSizes): Growth {
  const source = smallArchitecture(model, sizes);
  return { source, target: source.resized(sizesFor(source, target)) };
}

/** Random small weights, norms around 1, as `grownWeights` and `growParameter` read them. */
export function randomSmall(growth: Growth, seed: number): SmallValues {
  const values: Record<string, Float32Array> = {};
  growth.target.parameters.forEach((parameter, index) => {
    const sources = sourcesOf(growth, parameter);
    const layers = parameter.kind ? sources.length : 1;
    const isNorm = parameter.module === 'norm' && parameter.part === 'weight';
    const [low, high] = isNorm ? [0.5, 1.5] : [-0.6, 0.6];
    values[smallInputName(parameter)] ??= uniform(
      seed * 1000 + index,
      layers * elementCount(sources[0]!.shape),
      low,
      high,
    );
  });
  return values;
}

/** Operators as they start, moved a little so that no entry is special. */
export function randomOperators(growth: Growth, seed: number): OperatorValues {
  const started = initializeOperators(
    operatorsOf(growth),
    { depth: 'stackbert_noisy', width: 'rand' },
    seed,
  );
  const random = randomGenerator(seed, 0x6d6f7665);
  return Object.fromEntries(
    Object.entries(started).map(([name, values]) => [
      name,
      values.map(value => value + 0.2 * (random.uniform() - 0.5)),
    ]),
  );
}

/** Inputs of one batch and random values for them. */
export interface TinyBatch {
  readonly feeds: BatchFeeds;
  readonly values: Record<string, TensorData>;
}

/** A batch of random tokens or images. `targets` are rows that have one; images have one each. */
export function tinyBatch(
  { accepts, ...architecture }: Architecture,
  { batchSize = 2, sequenceLength = 5, targets: wanted = 4, seed = 3 } = {},
): TinyBatch {
  const rows = accepts.kind === 'images' ? batchSize : wanted;
  const shape = { batchSize, sequenceLength, targets: rows };
  const feeds = batchFeeds({ accepts, ...architecture }, shape);
  const random = randomGenerator(seed, 0x62617463);
  const integers = (count: number, below: number): Int32Array =>
    Int32Array.from({ length: count }, () => random.integer(below));
  const classes = accepts.kind === 'images' ? accepts.classes : accepts.vocabularySize;
  const values: Record<string, TensorData> = {
    targets: integers(rows, classes),
    weights: new Float32Array(rows).fill(1 / rows),
  };
  if (accepts.kind === 'images') {
    const pixels = batchSize * accepts.channels * accepts.height * accepts.width;
    values['pixel_values'] = uniform(seed, pixels);
  } else {
    const tokens = batchSize * sequenceLength;
    const ids = integers(tokens, classes);
    values['input_ids'] = ids;
    const positionIds = architecture.positionIds?.(ids, sequenceLength);
    if (positionIds) values['position_ids'] = positionIds;
    values['positions'] = Int32Array.from({ length: rows }, (_, row) => (row * 3) % tokens);
  }
  return { feeds, values };
}
