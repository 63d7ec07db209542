import {
  crossEntropy,
  logits,
  predictions,
  type Architecture,
  type ForwardInputs,
  type Weights,
} from '../architecture';
import { input, type Tensor } from '../graph';

/** Static shape of a batch. */
export interface BatchShape {
  readonly batchSize: number;
  /** Tokens a sequence; 1 for images. */
  readonly sequenceLength: number;
  /** Rows that have a target: masked positions, tokens with a successor, or images. */
  readonly targets: number;
}

/** The inputs a batch feeds, by the names of `Batch`. */
export interface BatchFeeds {
  readonly tensors: readonly Tensor[];
  readonly forward: ForwardInputs;
  /** Flat token indices of the target rows; absent for images. */
  readonly positions: Tensor | undefined;
  readonly targets: Tensor;
  readonly weights: Tensor;
}

/** An objective's loss over fed batches. */
export interface ObjectiveGraph {
  readonly feeds: readonly Tensor[];
  /** Scalar, in nats. */
  readonly loss: Tensor;
  /** Best class of each target row, int32 `[targets]`. */
  readonly predictions: Tensor;
  /** `[targets, classes]` */
  readonly logits: Tensor;
  /** What every layer reads, and what the last one gives; absent where nothing has layers. */
  readonly layerBoundaries?: readonly Tensor[];
}

/** The architecture's pretraining loss over inputs that several models may share. */
export function objectiveGraph(
  architecture: Architecture,
  weights: Weights,
  feeds: BatchFeeds,
): ObjectiveGraph {
  const forward = architecture.forward(weights, feeds.forward);
  const readout = forward.readout(feeds.positions);
  return {
    feeds: feeds.tensors,
    loss: crossEntropy(readout, feeds.targets, feeds.weights).loss,
    predictions: predictions(readout),
    logits: logits(readout),
    layerBoundaries: forward.hiddenStates,
  };
}

/** What batches call the positions of tokens, which some models are fed (`Architecture.positionIds`). */
export const positionIdsName = 'position_ids';

/** Makes the inputs for batches of a static shape. */
export function batchFeeds(
  { objective, config, positionIds: positionsOf }: Architecture,
  { batchSize, sequenceLength, targets: rows }: BatchShape,
): BatchFeeds {
  const targets = input('targets', [rows], 'int32');
  const weights = input('weights', [rows]);
  const common = { targets, weights };
  if (objective === 'image-classification') {
    const [height, width] = imageSize(config);
    const channels = Number(config['num_channels'] ?? 3);
    const pixelValues = input('pixel_values', [batchSize, channels, height, width]);
    return {
      ...common,
      tensors: [pixelValues, targets, weights],
      forward: { batchSize, sequenceLength, pixelValues },
      positions: undefined,
    };
  }
  const inputIds = input('input_ids', [batchSize * sequenceLength], 'int32');
  const positions = input('positions', [rows], 'int32');
  const positionIds = positionsOf && input(positionIdsName, [batchSize * sequenceLength], 'int32');
  return {
    ...common,
    tensors: [inputIds, ...(positionIds ? [positionIds] : []), positions, targets, weights],
    forward: { batchSize, sequenceLength, inputIds, ...(positionIds && { positionIds }) },
    positions,
  };
}

/** Height and width in pixels, from a config whose `image_size` is a number or a pair. */
export function imageSize(config: Architecture['config']): [number, number] {
  const size = config['image_size'] ?? 224;
  return Array.isArray(size) ? [Number(size[0]), Number(size[1])] : [Number(size), Number(size)];
}
