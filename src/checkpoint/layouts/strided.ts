import { bytesPerElement, type StoredType } from '../elementTypes';
import type { Layout, ReadBytes } from './layout';

/** Bytes read at once at most, so that memory stays near what is asked for. */
const MAX_READ_BYTES = 1 << 25;
/** Bytes that are read in one go whatever part of them is needed: a call to the system costs as much. */
const CHEAP_READ_BYTES = 1 << 14;
/** How many times the bytes that are needed are read in one go. */
const WASTE = 4;

/** Indices along an axis. */
interface Axis {
  readonly size: number;
  /** Elements of the storage from one index to the next. */
  readonly stride: number;
  /** Elements of the result from one index to the next. */
  readonly step: number;
}

/** Elements of a tensor that form a block along all of its axes. */
interface Block {
  /** Elements of the storage before its first one. */
  readonly from: number;
  /** Elements of the result before its first one. */
  readonly to: number;
  readonly axes: readonly Axis[];
}

/**
 * Elements that lie apart in a storage, as those of a transposed or repeated tensor.
 * @param begin byte of the file at which the first one lies
 * @param strides elements from one index of an axis to the next, from 0 up
 */
export function strided(
  type: StoredType,
  begin: number,
  shape: readonly number[],
  strides: readonly number[],
): Layout {
  const size = bytesPerElement(type);
  const axes = shape.map((length, axis) => ({
    size: length,
    stride: strides[axis]!,
    step: shape.slice(axis + 1).reduce((product, inner) => product * inner, 1),
  }));
  return {
    async read(readBytes, firstElement, count) {
      const out = new Uint8Array(count * size);
      for (const block of blocksOf(axes, firstElement, firstElement + count)) {
        await gather(block, { out, size, begin, readBytes });
      }
      return out;
    },
  };
}

/** Elements in row-major order, cut into blocks: the end of a row, whole rows, the beginning of a row. */
function blocksOf(
  axes: readonly Axis[],
  low: number,
  high: number,
  { from, to }: Pick<Block, 'from' | 'to'> = { from: 0, to: 0 },
): Block[] {
  if (high <= low) return [];
  const [axis, ...rest] = axes;
  if (!axis) return [{ from, to, axes: [] }];
  const { stride, step: row } = axis;
  const part = (index: number, begin: number, end: number): Block[] =>
    blocksOf(rest, begin, end, {
      from: from + index * stride,
      to: to + index * row + begin - low,
    });
  const first = Math.floor(low / row);
  if (high <= (first + 1) * row) return part(first, low - first * row, high - first * row);
  const whole = Math.ceil(low / row);
  const end = Math.floor(high / row);
  const rows: Block = {
    from: from + whole * stride,
    to: to + whole * row - low,
    axes: [{ ...axis, size: end - whole }, ...rest],
  };
  return [
    ...(whole > first ? part(first, low - first * row, row) : []),
    ...(end > whole ? [rows] : []),
    ...part(end, 0, high - end * row),
  ];
}

interface Gathering {
  readonly out: Uint8Array;
  /** Bytes of an element. */
  readonly size: number;
  readonly begin: number;
  readonly readBytes: ReadBytes;
}

/** Reads a block, in halves where it lies too far apart to be read at once. */
async function gather(block: Block, into: Gathering): Promise<void> {
  const { from, axes } = block;
  const { begin, size, readBytes } = into;
  const span = axes.reduce((sum, axis) => sum + (axis.size - 1) * axis.stride, 1);
  const needed = axes.reduce(
    (product, axis) => (axis.stride === 0 ? product : product * axis.size),
    1,
  );
  const most = Math.max(CHEAP_READ_BYTES, Math.min(MAX_READ_BYTES, WASTE * needed * size));
  if (span * size <= most) {
    const at = begin + from * size;
    copy(await readBytes(at, at + span * size), block, into);
    return;
  }
  for (const half of halvesOf(block)) await gather(half, into);
}

/** Halves along the axis on which elements lie farthest apart. */
function halvesOf({ from, to, axes }: Block): Block[] {
  const apart = ({ size, stride }: Axis): number => (size > 1 ? stride : 0);
  const farthest = axes.reduce((most, axis) => (apart(axis) > apart(most) ? axis : most));
  const half = Math.floor(farthest.size / 2);
  const resized = (size: number): Axis[] =>
    axes.map(axis => (axis === farthest ? { ...axis, size } : axis));
  return [
    { from, to, axes: resized(half) },
    {
      from: from + half * farthest.stride,
      to: to + half * farthest.step,
      axes: resized(farthest.size - half),
    },
  ];
}

/** Brings the elements of a block from the bytes that hold them to their places. */
function copy(bytes: Uint8Array, { to, axes }: Block, { out, size }: Gathering): void {
  const words = Math.max(1, size / 4);
  const source = wordsOf(bytes, size);
  const target = wordsOf(out, size);
  const run = (at: number, place: number, count: number): void =>
    target.set(source.subarray(at * words, (at + count) * words), place * words);
  const along = (depth: number, from: number, into: number): void => {
    const axis = axes[depth];
    const isLast = depth === axes.length - 1;
    const length = axis ? axis.size : 1;
    if (!axis || (isLast && axis.stride === 1)) {
      run(from, into, length);
      return;
    }
    for (let i = 0; i < length; i++) {
      const at = from + i * axis.stride;
      const place = into + i * axis.step;
      if (!isLast) along(depth + 1, at, place);
      else for (let w = 0; w < words; w++) target[place * words + w] = source[at * words + w]!;
    }
  };
  along(0, 0, to);
}

/** Elements as numbers that copying leaves as they are: those of eight bytes and more in parts of four. */
function wordsOf(bytes: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (size === 1) return bytes;
  return size === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}
