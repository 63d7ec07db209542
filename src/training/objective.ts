import {
  binaryCrossEntropy,
  binaryPredictions,
  crossEntropy,
  logits,
  predictions,
  squaredError,
  type Architecture,
  type ForwardInputs,
  type Loss,
  type Problem,
  type Readout,
  type Weights,
} from '../architecture';
import { input, type Tensor } from '../graph';

/** Static shape of a batch. */
export interface BatchShape {
  readonly batchSize: number;
  /** Tokens a sequence; 1 for images. */
  readonly sequenceLength: number;
  /** Rows that have a target: masked positions, tokens with a successor, images, texts, or all tokens. */
  readonly targets: number;
}

/** The inputs a batch feeds, by the names of `Batch`. */
export interface BatchFeeds {
  readonly tensors: readonly Tensor[];
  readonly forward: ForwardInputs;
  /** Flat token indices of the target rows; absent for images. */
  readonly positions: Tensor | undefined;
  /** int32 [targets], or float32 [targets, outputs] where every output has a target of its own. */
  readonly targets: Tensor;
  readonly weights: Tensor;
}

/** An objective's loss over fed batches. */
export interface ObjectiveGraph {
  readonly feeds: readonly Tensor[];
  /** Scalar: in nats, or a squared error. */
  readonly loss: Tensor;
  /**
   * Best class of each target row, int32 `[targets]`; 0 or 1 for each output, `[targets · outputs]`, where
   * each has a target of its own; absent for numbers, which are not right or wrong.
   */
  readonly predictions?: Tensor;
  /** `[targets, classes]` */
  readonly logits: Tensor;
  /** What every layer reads, and what the last one gives; absent where nothing has layers. */
  readonly layerBoundaries?: readonly Tensor[];
}

/** How far scores are from their targets, and what they predict. */
function scored(
  problem: Problem | undefined,
  readout: Readout,
  targets: Tensor,
  weights: Tensor,
): Pick<ObjectiveGraph, 'loss' | 'predictions'> {
  const of = ({ loss }: Loss, predicted?: Tensor) => ({
    loss,
    ...(predicted && { predictions: predicted }),
  });
  switch (problem) {
    case 'multi_label_classification':
      return of(binaryCrossEntropy(readout, targets, weights), binaryPredictions(readout));
    case 'regression':
      return of(squaredError(readout, targets, weights));
    default:
      return of(crossEntropy(readout, targets, weights), predictions(readout));
  }
}

/** The loss of the architecture's objective over inputs that several models may share. */
export function objectiveGraph(
  architecture: Architecture,
  weights: Weights,
  feeds: BatchFeeds,
): ObjectiveGraph {
  const forward = architecture.forward(weights, feeds.forward);
  const readout = forward.readout(feeds.positions);
  return {
    feeds: feeds.tensors,
    ...scored(architecture.problem, readout, feeds.targets, feeds.weights),
    logits: logits(readout),
    layerBoundaries: forward.hiddenStates,
  };
}

/** What batches call the positions of tokens, which some models are fed (`Architecture.positionIds`). */
export const positionIdsName = 'position_ids';

/** What batches call the mask of padded text: 1 for tokens, 0 for padding. */
const attentionMaskName = 'attention_mask';

/** True where sequences are whole texts with their labels, which are padded to one length. */
export const readsLabelledText = ({ objective }: Pick<Architecture, 'objective'>): boolean =>
  objective === 'sequence-classification' || objective === 'token-classification';

/** True where every output has a target of its own, which is a number. */
export const hasNumericTargets = ({ problem }: Pick<Architecture, 'problem'>): boolean =>
  problem === 'multi_label_classification' || problem === 'regression';

/** Makes the inputs for batches of a static shape. */
export function batchFeeds(
  architecture: Architecture,
  { batchSize, sequenceLength, targets: rows }: BatchShape,
): BatchFeeds {
  const { accepts, positionIds: positionsOf, spaceSizes } = architecture;
  const targets = hasNumericTargets(architecture)
    ? input('targets', [rows, spaceSizes.get('class')!])
    : input('targets', [rows], 'int32');
  const weights = input('weights', [rows]);
  const common = { targets, weights };
  if (accepts.kind === 'images') {
    const { channels, height, width } = accepts;
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
  const attentionMask = readsLabelledText(architecture)
    ? input(attentionMaskName, [batchSize, sequenceLength])
    : undefined;
  return {
    ...common,
    tensors: [
      inputIds,
      ...(positionIds ? [positionIds] : []),
      ...(attentionMask ? [attentionMask] : []),
      ...[positions, targets, weights],
    ],
    forward: {
      batchSize,
      sequenceLength,
      inputIds,
      ...(positionIds && { positionIds }),
      ...(attentionMask && { attentionMask }),
    },
    positions,
  };
}
