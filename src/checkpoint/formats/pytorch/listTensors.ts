import { contiguous } from '../../layouts/contiguous';
import { inflated, inflating, type Deflated } from '../../layouts/inflated';
import type { Layout, ReadBytes } from '../../layouts/layout';
import { strided } from '../../layouts/strided';
import { quoted } from '../../names';
import { elementCount, type TensorInfo } from '../../tensor';
import type { FormatFile } from '../format';
import type { Place } from './content';
import type { Failures } from './failures';
import type { TensorView } from './pickle/values';

/** Bytes of a deflated storage that are in memory at once, for a tensor which is gathered from it. */
const MAX_GATHERED_BYTES = 1 << 28;
/** Bytes that a tensor which repeats elements of its storage may take all the same. */
const MAX_REPEATED_BYTES = 1 << 25;

/**
 * Tensors with where they lie in their file, in the order of their data.
 * @param places of storages, by key
 * @throws UnsupportedError for element types that are not read
 */
export function listTensors(
  tensors: ReadonlyMap<string, TensorView>,
  places: ReadonlyMap<string, Place>,
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
    if (bytes > Math.max(size, storage.bytes, MAX_REPEATED_BYTES)) {
      fail.unsupported(
        `tensor ${quoted(name)} of shape [${shape.join(', ')}] repeats few elements until they take ${bytes} bytes`,
        'Save it without the repetition (before expand).',
      );
    }
    const place = places.get(storage.key)!;
    const within = storage.begin * storage.kind.dtype.bytes + offset * dtype.bytes;
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
    const { deflated } = place;
    const begin = deflated ? within : place.begin + within;
    const lies = isDense ? contiguous(type, begin) : strided(type, begin, shape, strides);
    if (deflated && !isDense && deflated.bytes > MAX_GATHERED_BYTES) {
      fail.unsupported(
        `tensor ${quoted(name)} does not lie in one piece in a storage of ${deflated.bytes} bytes that was compressed after torch wrote it; at most ${MAX_GATHERED_BYTES} are inflated at once`,
        'Unpack the archive and pack it again without compression (zip -0 -r), or load it with torch.load and save it with torch.save.',
      );
    }
    const layout = deflated ? inflatedLayout(deflated, isDense, lies) : lies;
    return {
      begin: place.begin + within,
      tensor: { name, type, shape: unpacked, file, bytes, layout },
    };
  });
  listed.sort((a, b) => a.begin - b.begin);
  return listed.map(({ tensor }) => tensor);
}

/** Elements in one piece are read as they are inflated, others out of the storage in memory. */
function inflatedLayout(deflated: Deflated, isDense: boolean, layout: Layout): Layout {
  if (isDense) return inflated(deflated, layout);
  return {
    async read(readBytes, firstElement, count) {
      const storage = await inflating(deflated, readBytes)(0, deflated.bytes);
      const inMemory: ReadBytes = (begin, end) => Promise.resolve(storage.slice(begin, end));
      return layout.read(inMemory, firstElement, count);
    },
  };
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
