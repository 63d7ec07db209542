import { elementCount, normalizeAxis, reducedShape } from '../shape';
import { createTensor, type ReductionOperator, type Tensor } from '../tensor';
import { mul } from './elementwise';

function reduce(
  op: ReductionOperator,
  x: Tensor,
  axes: readonly number[],
  keepdims: boolean,
): Tensor {
  const normalized = axes.map(axis => normalizeAxis(axis, x.shape.length)).sort((a, b) => a - b);
  const shape = reducedShape(x.shape, normalized, keepdims);
  return createTensor(op, [x], { axes: normalized, keepdims }, shape, x.type);
}

const allAxes = (x: Tensor): number[] => x.shape.map((_, axis) => axis);

/** Sum over axes (all by default). */
export const reduceSum = (x: Tensor, axes = allAxes(x), keepdims = false): Tensor =>
  axes.length === 0 ? x : reduce('ReduceSum', x, axes, keepdims);

/** Largest element over axes; not differentiable here. */
export const reduceMax = (x: Tensor, axes = allAxes(x), keepdims = false): Tensor =>
  reduce('ReduceMax', x, axes, keepdims);

/** log Σ eˣ over the last axis, computed without overflow. */
export const reduceLogSumExp = (x: Tensor, keepdims = false): Tensor =>
  reduce('ReduceLogSumExp', x, [-1], keepdims);

/** Mean over axes: a sum times a constant. */
export function reduceMean(x: Tensor, axes: readonly number[], keepdims = false): Tensor {
  const sum = reduce('ReduceSum', x, axes, keepdims);
  return mul(sum, elementCount(sum.shape) / elementCount(x.shape));
}

/** Index of the largest element of the last axis, int32; the first one when several are equal. */
export function argMax(x: Tensor): Tensor {
  return createTensor('ArgMax', [x], { axis: x.shape.length - 1 }, x.shape.slice(0, -1), 'int32');
}
