import { contiguous } from '../../layouts/contiguous';
import { strided } from '../../layouts/strided';
import { quoted } from '../../names';
import { elementCount, type TensorInfo } from '../../tensor';
import type { FormatFile } from '../format';
import type { Failures } from './failures';
import type { TensorView } from './pickle/values';

/** Bytes that a tensor which repeats elements of its storage may take all the same. */
const MAX_REPEATED_BYTES = 1 << 25;

/**
 * Tensors with where they lie in their file, in the order of their data.
 * @param begins first bytes of storages, by key
 * @throws UnsupportedError for element types that are not read
 */
export function listTensors(
  tensors: ReadonlyMap<string, TensorView>,
  begins: ReadonlyMap<string, number>,
  { file, size }: FormatFile,
  fail: Failures,
): TensorInfo[] {
  const listed = [...tensors].map(([name, view]) => {
    const { storage, dtype, offset, shape, strides } = view;
    const { type, packed } = dtype;
    if (type === undefined) {
      return fail.unsupported(
        `tensor ${quoted(name)} has the element type ${dtype.name}, which is not read here`,
        'Load it in Python and save it in another type.',
      );
    }
    const count = elementCount(shape);
    const bytes = count * dtype.bytes;
    if (bytes > Math.max(size, MAX_REPEATED_BYTES)) {
      fail.unsupported(
        `tensor ${quoted(name)} of shape [${shape.join(', ')}] repeats few elements until they take ${bytes} bytes`,
        'Save it without the repetition (before expand).',
      );
    }
    const begin =
      begins.get(storage.key)! + storage.begin * storage.kind.dtype.bytes + offset * dtype.bytes;
    const isDense = isContiguous(shape, strides);
    if (packed > 1 && (!isDense || shape.length === 0)) {
      fail.unsupported(
        `tensor ${quoted(name)} of type ${dtype.name} does not lie in one piece`,
        'Save it after contiguous().',
      );
    }
    // Two values in one byte are two elements along the last axis, as safetensors counts them.
    const unpacked = shape.map((length, axis) =>
      axis === shape.length - 1 ? length * packed : length,
    );
    const layout = isDense ? contiguous(type, begin) : strided(type, begin, shape, strides);
    return { begin, tensor: { name, type, shape: unpacked, file, bytes, layout } };
  });
  listed.sort((a, b) => a.begin - b.begin);
  return listed.map(({ tensor }) => tensor);
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Bytes of the tensors where those of one storage count once, as the indexes of .bin files count. */
export function bytesOnce(tensors: ReadonlyMap<string, TensorView>): number {
  const largest = new Map<string, number>();
  for (const { storage, dtype, shape } of tensors.values()) {
    const bytes = elementCount(shape) * dtype.bytes;
    largest.set(storage.key, Math.max(bytes, largest.get(storage.key) ?? 0));
  }
  return [...largest.values()].reduce((sum, bytes) => sum + bytes, 0);
}
