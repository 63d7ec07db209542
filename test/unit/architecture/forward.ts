import {
  plainWeights,
  type Architecture,
  type ForwardInputs,
  type ForwardOutputs,
  type Weights,
} from '../../../src/architecture';
import { add, input, type Tensor, type TensorData } from '../../../src/graph';

/** A forward pass together with what its inputs are fed. */
export interface FedForward extends ForwardOutputs {
  readonly inputs: ForwardInputs;
  readonly weights: Weights;
  /** Inputs of the parameters as the file holds them, by id. */
  readonly stored: ReadonlyMap<string, Tensor>;
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
  const stored = new Map<string, Tensor>();
  for (const { id, shape, stored: block } of architecture.parameters) {
    const data = values.get(id);
    if (!data) continue;
    const { plus = 0 } = block;
    const held = feed(id, plus === 0 ? data : data.map(value => value - plus), shape);
    stored.set(id, held);
    tensors.set(id, plus === 0 ? held : add(held, plus));
  }
  const weights = plainWeights(id => tensors.get(id));
  return { ...architecture.forward(weights, inputs), inputs, weights, stored, feeds, feed };
}
