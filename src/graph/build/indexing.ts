import { sameShape } from '../shape';
import { createTensor, type Tensor } from '../tensor';

function requireIndices(op: string, indices: Tensor): void {
  if (indices.type !== 'int32') throw new Error(`${op} takes int32 indices`);
}

/** Rows of x: `[rows, …]` and indices `[n]` → `[n, …]`. ONNX Gather on axis 0. */
export function gather(x: Tensor, indices: Tensor): Tensor {
  requireIndices('Gather', indices);
  if (indices.shape.length !== 1) throw new Error('Gather takes a vector of indices');
  const shape = [indices.shape[0]!, ...x.shape.slice(1)];
  return createTensor('Gather', [x, indices], { axis: 0 }, shape, x.type);
}

/** Element (i, j, …) of the result is `x[indices[i, j, …], j, …]`: ONNX GatherElements on axis 0. */
export function gatherElements(x: Tensor, indices: Tensor): Tensor {
  requireIndices('GatherElements', indices);
  return createTensor('GatherElements', [x, indices], { axis: 0 }, indices.shape, x.type);
}

/**
 * x with `updates[i, j, …]` added at `[indices[i, j, …], j, …]`; repeated indices add up.
 * ONNX ScatterElements on axis 0 with reduction "add".
 */
export function scatterElements(x: Tensor, indices: Tensor, updates: Tensor): Tensor {
  requireIndices('ScatterElements', indices);
  if (!sameShape(indices.shape, updates.shape)) throw new Error('ScatterElements shapes differ');
  return createTensor('ScatterElements', [x, indices, updates], { axis: 0 }, x.shape, x.type);
}
