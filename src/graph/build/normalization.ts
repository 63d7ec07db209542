import { createNode, createTensor, type Tensor } from '../tensor';

/** eˣ / Σ eˣ over the last axis. */
export const softmax = (x: Tensor): Tensor =>
  createTensor('Softmax', [x], { axis: x.shape.length - 1 }, x.shape);

/** Normalisation over the last axis with the statistics the gradient needs. */
export interface LayerNormalization {
  /** Same shape as the input. */
  readonly y: Tensor;
  /** Last axis 1. */
  readonly mean: Tensor;
  /** 1 / √(variance + ε); last axis 1. */
  readonly inverseStandardDeviation: Tensor;
}

/** (x − mean) / √(variance + ε) · weight + bias over the last axis; weight and bias are `[width]`. */
export function layerNormalization(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  epsilon: number,
): LayerNormalization {
  const width = x.shape.at(-1);
  if (width === undefined || weight.shape[0] !== width || bias.shape[0] !== width) {
    throw new Error('LayerNormalization: weight and bias must be as wide as the last axis');
  }
  const statistics = { shape: [...x.shape.slice(0, -1), 1], type: 'float32' as const };
  const node = createNode(
    'LayerNormalization',
    [x, weight, bias],
    { axis: x.shape.length - 1, epsilon },
    [{ shape: x.shape, type: 'float32' }, statistics, statistics],
  );
  const [y, mean, inverseStandardDeviation] = node.outputs as [Tensor, Tensor, Tensor];
  return { y, mean, inverseStandardDeviation };
}
