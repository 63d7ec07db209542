import type { TensorInfo } from '../checkpoint/checkpoint';
import { elementCount } from '../checkpoint/tensor';

/** Elements that are read at a time: 32 MB where they take most. A multiple of eight, for packed types. */
const partElements = 2 ** 22;

/** Elements that lie together. */
export interface Part {
  readonly first: number;
  readonly count: number;
}

/** Parts of a tensor one after the other, so that it is never in memory as a whole. */
export function* partsOf({ shape }: TensorInfo, most = partElements): Generator<Part> {
  const count = elementCount(shape);
  for (let first = 0; first < count; first += most) {
    yield { first, count: Math.min(most, count - first) };
  }
}

/** A tensor as a matrix: rows are all axes but the last. */
export function asMatrix(shape: readonly number[]): [height: number, width: number] {
  return [elementCount(shape.slice(0, -1)), shape.at(-1) ?? 1];
}
