import { plainWeights, recognizeArchitecture } from '../../src/architecture';
import type { NamedData } from '../../src/engine';
import { elementCount, inputName, type Program, type Tensor } from '../../src/graph';
import { grownWeights, initializeOperators, operatorsOf, type Growth } from '../../src/growth';
import { randomGenerator } from '../../src/random';
import {
  batchFeeds,
  objectiveGraph,
  optimizerFeeds,
  trainingProgram,
  type BatchShape,
} from '../../src/training';
import { bertShapes } from './bertShapes';
import { llamaFfn, llamaHeads, llamaShapes } from './llamaShapes';

/** Families whose step can be measured. */
export const benchModels = ['bert', 'llama'] as const;
export type BenchModel = (typeof benchModels)[number];

/** The models and the batch of one measured step. */
export interface StepSizes {
  /** Default BERT. */
  readonly model?: BenchModel;
  readonly layers: number;
  readonly hidden: number;
  readonly targetLayers: number;
  readonly targetHidden: number;
  readonly batch: number;
  readonly sequenceLength: number;
  readonly vocabulary: number;
}

/** What is done against short memory. */
export interface MemorySavings {
  readonly recomputeLayers?: boolean;
  /** Runs that make one update, each of a part of the batch; 1 by default. */
  readonly microBatches?: number;
}

/** As we compute a step, or with every grown matrix built and logits everywhere (released code). */
export type Form = 'ours' | 'plain';

/** One LiGO step ready to compile, with random values and one batch that is the same in every form. */
export interface LigoStep {
  readonly program: Program;
  readonly operators: NamedData;
  readonly frozen: NamedData;
  readonly batch: NamedData;
  /** Runs that make one update. */
  readonly microBatches: number;
  /** What a run is fed; the first update is 1, the first micro-batch 0. */
  feeds(update: number, microBatch?: number): NamedData;
}

/** Share of the tokens that masked language modelling predicts. */
const maskedShare = 0.15;
const optimizer = { betas: [0.9, 0.999], epsilon: 1e-8, clipNorm: 1 } as const;
const groups = [{ name: 'operators', learningRate: 2e-4, weightDecay: 0.01 }];

/** Builds the program and its values. */
export function ligoStep(
  whole: StepSizes,
  form: Form,
  { recomputeLayers = false, microBatches = 1 }: MemorySavings = {},
): LigoStep {
  const accumulate = microBatches > 1;
  const sizes = { ...whole, batch: whole.batch / microBatches };
  const growth = growthOf(sizes);
  const shape = batchShape(sizes, form);
  const grown = grownWeights(growth);
  const exists = new Set(growth.target.parameters.map(({ id }) => id));
  const weights =
    form === 'ours' ? grown : plainWeights(id => (exists.has(id) ? grown.tensor(id) : undefined));
  const objective = objectiveGraph(growth.target, weights, batchFeeds(growth.target, shape));
  const parameters = [...grown.operators.values()].map(input => ({ input, group: 'operators' }));
  const frozen = [...grown.small.values()];
  const batch = randomBatch(sizes, shape);
  return {
    program: trainingProgram(objective, parameters, frozen, optimizer, {
      recomputeLayers,
      accumulate,
    }),
    operators: initializeOperators(
      operatorsOf(growth),
      { depth: 'stackbert_noisy', width: 'rand' },
      1,
    ),
    frozen: Object.fromEntries(frozen.map(randomWeights)),
    batch,
    microBatches,
    feeds: (update, microBatch = 0) => {
      const part = { share: 1 / microBatches, last: microBatch === microBatches - 1 };
      return {
        ...batch,
        ...optimizerFeeds(groups, optimizer, update, 1, accumulate ? part : undefined),
      };
    },
  };
}

function growthOf(sizes: StepSizes): Growth {
  const { model = 'bert', targetHidden } = sizes;
  const { config, tensors } = (model === 'bert' ? bertShapes : llamaShapes)({
    layers: sizes.layers,
    hidden: sizes.hidden,
    vocabulary: sizes.vocabulary,
    positions: Math.max(512, sizes.sequenceLength),
  });
  const source = recognizeArchitecture(config, tensors).architecture;
  const heads = headsOf(sizes);
  const target = source.resized({
    numHiddenLayers: sizes.targetLayers,
    hiddenSize: targetHidden,
    numAttentionHeads: heads,
    ...(model === 'llama' && { numKeyValueHeads: heads / llamaHeads.sharing }),
    intermediateSize: ffnOf(model, targetHidden),
  });
  return { source, target };
}

/** Attention heads of the large model. */
export const headsOf = ({ model, targetHidden }: StepSizes): number =>
  targetHidden / (model === 'llama' ? llamaHeads.size : 64);

/** Feed-forward units of a model. */
export const ffnOf = (model: BenchModel | undefined, hidden: number): number =>
  model === 'llama' ? llamaFfn(hidden) : 4 * hidden;

/** Tokens that a step predicts: some of BERT's, all but the first of each sequence of a Llama. */
function predicted({ model, batch, sequenceLength }: StepSizes): Int32Array {
  const tokens = batch * sequenceLength;
  if (model === 'llama') {
    const all = Int32Array.from({ length: tokens }, (_, i) => i);
    return all.filter(position => position % sequenceLength < sequenceLength - 1);
  }
  const masked = Math.round(maskedShare * tokens);
  return Int32Array.from({ length: masked }, (_, i) => Math.floor((i * tokens) / masked));
}

/** Ours reads only positions with a target; the plain form computes logits everywhere, as the released code. */
function batchShape(sizes: StepSizes, form: Form): BatchShape {
  const { batch, sequenceLength } = sizes;
  const targets = form === 'ours' ? predicted(sizes).length : batch * sequenceLength;
  return { batchSize: batch, sequenceLength, targets };
}

function randomWeights(tensor: Tensor, index: number): [string, Float32Array] {
  const name = inputName(tensor);
  const random = randomGenerator(1, 1, index);
  const mean = /(norm|ln\d)\.weight$/.test(name) ? 1 : 0;
  const data = new Float32Array(elementCount(tensor.shape));
  for (let i = 0; i < data.length; i++) data[i] = mean + 0.02 * random.normal();
  return [name, data];
}

/** The same tokens and the same targets in both forms, so the losses agree. */
function randomBatch(sizes: StepSizes, { targets }: BatchShape): NamedData {
  const tokens = sizes.batch * sizes.sequenceLength;
  const random = randomGenerator(1, 2);
  const ids = new Int32Array(tokens).map(() => random.integer(sizes.vocabulary));
  const chosen = predicted(sizes);
  const all = Int32Array.from({ length: tokens }, (_, i) => i);
  const positions = targets === chosen.length ? chosen : all;
  const isChosen = new Set(chosen);
  const ahead = sizes.model === 'llama' ? 1 : 0;
  return {
    input_ids: ids,
    positions,
    targets: positions.map(position => ids[position + ahead] ?? 0),
    weights: Float32Array.from(positions, position =>
      isChosen.has(position) ? 1 / chosen.length : 0,
    ),
  };
}
