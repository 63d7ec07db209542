import type { StoredType } from './elementTypes';
import type { Layout } from './layouts/layout';

/** Most tensors in one file; the largest published checkpoints have about 100,000 over all shards. */
export const MAX_TENSORS = 1_000_000;
/** Most axes of a tensor; PyTorch stops at 64 and models at 5. */
export const MAX_RANK = 32;
/** Largest dimension, and largest number of elements: integers are exact up to here. */
export const MAX_ELEMENTS = Number.MAX_SAFE_INTEGER;

/** One tensor of a checkpoint: everything about it except its values. */
export interface TensorInfo {
  readonly name: string;
  /** Type of its elements as they are read. */
  readonly type: StoredType;
  /** What the file holds in place of such elements, quantised blocks say; absent where it holds them. */
  readonly storedAs?: string;
  readonly shape: readonly number[];
  /** Absolute path of the file that holds the values. */
  readonly file: string;
  /** Bytes that it takes there; a tensor that shares them with another counts them too. */
  readonly bytes: number;
  /** How its elements lie there. */
  readonly layout: Layout;
}

/** Product of the dimensions; 1 for a scalar. Not a safe integer when it is too large. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
