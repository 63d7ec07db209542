import type { Layout, ReadBytes } from './layout';

/** A part of a tensor, along all of its axes, that lies in a file by itself. */
export interface StoredChunk {
  /** Index of its first element along each axis. */
  readonly origin: readonly number[];
  /** Its elements in row-major order, those beyond the tensor's end too. @throws UserError */
  readonly read: (readBytes: ReadBytes) => Promise<Uint8Array>;
}

/** A tensor cut into parts of one shape. */
export interface Chunked {
  readonly shape: readonly number[];
  readonly chunk: readonly number[];
  readonly elementBytes: number;
  /** One element where there is no part; zeros where that is absent. */
  readonly fill?: Uint8Array;
}

/**
 * Elements that lie in parts of a tensor, in the order of their first elements. Each part that a read
 * touches is read once and whole.
 */
export function chunked(chunks: readonly StoredChunk[], form: Chunked): Layout {
  const { shape, chunk, elementBytes, fill } = form;
  const steps = stepsOf(shape);
  const firsts = chunks.map(({ origin }) => elementAt(origin, steps));
  // From the first element of a part to its last one.
  const span = chunk.reduce(
    (sum, size, axis) => sum + (Math.min(size, shape[axis]!) - 1) * steps[axis]!,
    0,
  );
  return {
    async read(readBytes, firstElement, count) {
      const out = new Uint8Array(count * elementBytes);
      if (count === 0) return out;
      if (fill?.some(byte => byte !== 0) === true) repeat(fill, out);
      const end = firstElement + count;
      for (let at = lowerBound(firsts, firstElement - span); at < chunks.length; at++) {
        if (firsts[at]! >= end) break;
        const { origin, read } = chunks[at]!;
        const size = chunk.map((length, axis) => Math.min(length, shape[axis]! - origin[axis]!));
        if (!touches(origin, size, shape, steps, firstElement, end)) continue;
        place(await read(readBytes), { origin, size, steps, form, firstElement, count, out });
      }
      return out;
    },
  };
}

/** Elements from one index of an axis to the next, row-major. */
function stepsOf(shape: readonly number[]): readonly number[] {
  const steps = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    steps[axis] = steps[axis + 1]! * shape[axis + 1]!;
  }
  return steps;
}

const elementAt = (index: readonly number[], steps: readonly number[]): number =>
  index.reduce((element, at, axis) => element + at * steps[axis]!, 0);

function repeat(fill: Uint8Array, out: Uint8Array): void {
  out.set(fill);
  for (let done = fill.length; done < out.length; done *= 2) out.copyWithin(done, 0, done);
}

/** Index of the first number that is not below a bound, in ascending ones. */
function lowerBound(ascending: readonly number[], bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a part has any of the elements from one up to another, which is known for its rows only. */
function touches(
  origin: readonly number[],
  size: readonly number[],
  shape: readonly number[],
  steps: readonly number[],
  first: number,
  end: number,
): boolean {
  let [low, high] = [0, Infinity];
  let [from, to] = [first, end - 1];
  for (let axis = 0; axis < shape.length; axis++) {
    // As long as both ends lie at one index of the axes before, this axis' indices say it.
    low = Math.floor(from / steps[axis]!);
    high = Math.floor(to / steps[axis]!);
    if (high < origin[axis]! || low >= origin[axis]! + size[axis]!) return false;
    if (low !== high) return true;
    from -= low * steps[axis]!;
    to -= low * steps[axis]!;
  }
  return true;
}

interface Placing {
  readonly origin: readonly number[];
  /** Elements along each axis that are the tensor's. */
  readonly size: readonly number[];
  readonly steps: readonly number[];
  readonly form: Chunked;
  readonly firstElement: number;
  readonly count: number;
  readonly out: Uint8Array;
}

/** Brings the rows of a part to their places, as far as they are asked for. */
function place(data: Uint8Array, placing: Placing): void {
  const { origin, size, steps, form, firstElement, count, out } = placing;
  const { chunk, elementBytes } = form;
  const inner = stepsOf(chunk);
  const last = chunk.length - 1;
  const along = (axis: number, from: number, element: number): void => {
    if (axis < last) {
      const step = steps[axis]!;
      const indexOf = (wanted: number): number =>
        Math.floor((wanted - element) / step) - origin[axis]!;
      const low = Math.max(0, indexOf(firstElement));
      const high = Math.min(size[axis]! - 1, indexOf(firstElement + count - 1));
      for (let i = low; i <= high; i++) {
        along(axis + 1, from + i * inner[axis]!, element + (origin[axis]! + i) * step);
      }
      return;
    }
    const to = element + origin[last]! - firstElement;
    const begin = Math.max(0, -to);
    const end = Math.min(size[last]!, count - to);
    if (begin >= end) return;
    const row = data.subarray((from + begin) * elementBytes, (from + end) * elementBytes);
    out.set(row, (to + begin) * elementBytes);
  };
  along(0, 0, 0);
}
