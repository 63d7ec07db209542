import {
  plainWeights,
  type Architecture,
  type ForwardInputs,
  type ForwardOutputs,
  type Weights,
} from '../../../src/architecture';
import { input, type Tensor, type TensorData } from '../../../src/graph';

/** A forward pass together with what its inputs are fed. */
export interface FedForward extends ForwardOutputs {
  readonly inputs: ForwardInputs;
  readonly weights: Weights;
  readonly feeds: Record<string, TensorData>;
  /** Declares a further input and its value. */
  feed(name: string, data: TensorData, shape?: readonly number[]): Tensor;
}

/** A batch in plain numbers; token tensors are [batchSize, sequenceLength]. */
export interface PlainBatch {
  readonly batchSize: number;
  readonly sequenceLength?: number;
  readonly inputIds?: Int32Array;
  readonly attentionMask?: Float32Array;
  readonly positionIds?: Int32Array;
  readonly tokenTypeIds?: Int32Array;
  readonly pixelValues?: Float32Array;
}

/** Runs `architecture.forward` on inputs for every parameter and every part of the batch. */
export function fedForward(
  architecture: Architecture,
  values: ReadonlyMap<string, Float32Array>,
  batch: PlainBatch,
): FedForward {
  const feeds: Record<string, TensorData> = {};
  const feed = (name: string, data: TensorData, shape = [data.length] as readonly number[]) => {
    feeds[name] = data;
    return input(name, shape, data instanceof Int32Array ? 'int32' : 'float32');
  };
  const { batchSize, sequenceLength = 0, inputIds, attentionMask } = batch;
  const { positionIds, tokenTypeIds, pixelValues } = batch;
  const images = architecture.accepts.kind === 'images' ? architecture.accepts : undefined;
  const imageShape = images && [batchSize, images.channels, images.height, images.width];
  const inputs: ForwardInputs = {
    batchSize,
    sequenceLength,
    ...(inputIds && { inputIds: feed('inputIds', inputIds) }),
    ...(attentionMask && {
      attentionMask: feed('attentionMask', attentionMask, [batchSize, sequenceLength]),
    }),
    ...(positionIds && { positionIds: feed('positionIds', positionIds) }),
    ...(tokenTypeIds && { tokenTypeIds: feed('tokenTypeIds', tokenTypeIds) }),
    ...(pixelValues && imageShape && { pixelValues: feed('pixelValues', pixelValues, imageShape) }),
  };
  const tensors = new Map<string, Tensor>();
  for (const { id, shape } of architecture.parameters) {
    const data = values.get(id);
    if (data) tensors.set(id, feed(id, data, shape));
  }
  const weights = plainWeights(id => tensors.get(id));
  return { ...architecture.forward(weights, inputs), inputs, weights, feeds, feed };
}
