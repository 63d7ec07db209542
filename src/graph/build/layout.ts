import { axisSize, broadcastShapes, elementCount, normalizeAxis, sameShape } from '../shape';
import { createNode, createTensor, type Shape, type Tensor } from '../tensor';

/** The same elements under another shape. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (elementCount(shape) !== elementCount(x.shape)) {
    throw new Error(`[${x.shape.join(', ')}] cannot be reshaped to [${shape.join(', ')}]`);
  }
  return sameShape(x.shape, shape) ? x : createTensor('Reshape', [x], { shape }, shape, x.type);
}

/** Axis i of the result is axis `perm[i]` of x. */
export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  if (perm.length !== x.shape.length || new Set(perm).size !== perm.length) {
    throw new Error(`[${perm.join(', ')}] does not permute rank ${x.shape.length}`);
  }
  const shape = perm.map(axis => axisSize(x.shape, axis));
  return createTensor('Transpose', [x], { perm }, shape, x.type);
}

/** x with its last two axes exchanged. */
export function transposeLast(x: Tensor): Tensor {
  const rank = x.shape.length;
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return transpose(x, perm);
}

/** Joins tensors along an axis; all other axes agree. */
export function concat(parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts;
  if (!first) throw new Error('Concat of nothing');
  if (parts.length === 1) return first;
  const along = normalizeAxis(axis, first.shape.length);
  const total = parts.reduce((sum, part) => sum + axisSize(part.shape, along), 0);
  const shape = first.shape.map((size, index) => (index === along ? total : size));
  for (const part of parts) {
    const agrees = part.shape.every(
      (size, index) => index === along || size === first.shape[index],
    );
    if (!agrees) throw new Error('Concat parts differ in another axis');
  }
  return createTensor('Concat', parts, { axis: along }, shape, first.type);
}

/** Cuts x along an axis into pieces of the given sizes. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): readonly Tensor[] {
  const along = normalizeAxis(axis, x.shape.length);
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[along]) {
    throw new Error(
      `Pieces [${sizes.join(', ')}] do not fill axis ${along} of [${x.shape.join(', ')}]`,
    );
  }
  if (sizes.length === 1) return [x];
  const outputs = sizes.map(piece => ({
    shape: x.shape.map((size, index) => (index === along ? piece : size)),
    type: x.type,
  }));
  return createNode('Split', [x], { axis: along, split: sizes }, outputs).outputs;
}

/** Elements `start` … `end − 1` of one axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const along = normalizeAxis(axis, x.shape.length);
  const size = axisSize(x.shape, along);
  if (start < 0 || end > size || start >= end) throw new Error(`Slice ${start}:${end} of ${size}`);
  if (start === 0 && end === size) return x;
  const shape = x.shape.map((length, index) => (index === along ? end - start : length));
  return createTensor('Slice', [x], { axes: [along], starts: [start], ends: [end] }, shape, x.type);
}

/** x repeated along its axes of size 1 (and new leading ones) up to `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (!sameShape(broadcastShapes(x.shape, shape), shape)) {
    throw new Error(`[${x.shape.join(', ')}] does not expand to [${shape.join(', ')}]`);
  }
  return sameShape(x.shape, shape) ? x : createTensor('Expand', [x], { shape }, shape, x.type);
}
