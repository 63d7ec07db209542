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

/** An objective's loss over fed batches. */
export interface ObjectiveGraph {
  readonly feeds: readonly Tensor[];
  /** Scalar, in nats. */
  readonly loss: Tensor;
  /** Best class of each target row, int32 `[targets]`. */
  readonly predictions: Tensor;
  /** `[targets, classes]` */
  readonly logits: Tensor;
}

/** The architecture's pretraining loss; feed names are those of `Batch`. */
export function objectiveGraph(
  architecture: Architecture,
  weights: Weights,
  shape: BatchShape,
): ObjectiveGraph {
  const targets = input('targets', [shape.targets], 'int32');
  const rowWeights = input('weights', [shape.targets]);
  const { feeds, inputs, positions } = batchInputs(architecture, shape);
  const readout = architecture.forward(weights, inputs).readout(positions);
  return {
    feeds: [...feeds, targets, rowWeights],
    loss: crossEntropy(readout, targets, rowWeights).loss,
    predictions: predictions(readout),
    logits: logits(readout),
  };
}

function batchInputs(
  { objective, config }: Architecture,
  { batchSize, sequenceLength, targets }: BatchShape,
): { feeds: Tensor[]; inputs: ForwardInputs; positions?: Tensor } {
  if (objective === 'image-classification') {
    const [height, width] = imageSize(config);
    const channels = Number(config['num_channels'] ?? 3);
    const pixelValues = input('pixel_values', [batchSize, channels, height, width]);
    return { feeds: [pixelValues], inputs: { batchSize, sequenceLength, pixelValues } };
  }
  const inputIds = input('input_ids', [batchSize * sequenceLength], 'int32');
  const positions = input('positions', [targets], 'int32');
  return {
    feeds: [inputIds, positions],
    inputs: { batchSize, sequenceLength, inputIds },
    positions,
  };
}

/** Height and width in pixels, from a config whose `image_size` is a number or a pair. */
export function imageSize(config: Architecture['config']): [number, number] {
  const size = config['image_size'] ?? 224;
  return Array.isArray(size) ? [Number(size[0]), Number(size[1])] : [Number(size), Number(size)];
}
