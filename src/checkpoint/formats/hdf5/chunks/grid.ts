import type { ChunkedPlace } from '../messages';

/** How a data set is cut into chunks. */
export class Grid {
  /** Bytes of a chunk before it is packed. */
  readonly chunkBytes: number;
  /** Elements along each axis of a chunk. */
  readonly chunk: readonly number[];
  /** Chunks that there can be; infinite for data sets that may grow without an end. */
  readonly count: number;
  /** Chunks along each axis, as far as it may grow. */
  private readonly most: readonly number[];

  /** @throws Error that ends "it cannot be used: …" */
  constructor(
    private readonly shape: readonly number[],
    maxShape: readonly number[],
    { shape: chunk, elementBytes }: ChunkedPlace,
  ) {
    this.chunk = chunk;
    this.chunkBytes = chunk.reduce((product, size) => product * size, elementBytes);
    const isUsable =
      chunk.length === shape.length && this.chunkBytes > 0 && Number.isSafeInteger(this.chunkBytes);
    if (!isUsable) throw new Error('a data set in it has chunks of no usable shape');
    this.most = chunk.map((size, axis) =>
      Math.ceil(Math.max(maxShape[axis]!, shape[axis]!) / size),
    );
    this.count = this.most.reduce((product, size) => product * size, 1);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The axis that may grow without an end; -1 where there is none. */
  get endlessAxis(): number {
    return this.most.indexOf(Infinity);
  }

  /** The first indices of the chunk of a number, counted along all axes as far as they may grow, the first slowest. */
  originOf(number: number, first = 0): readonly number[] {
    // The axis that may grow without an end is the slowest, wherever it stands.
    const axes = [first, ...this.most.keys()].filter((axis, at) => at === 0 || axis !== first);
    const origin = new Array<number>(this.rank).fill(0);
    let rest = number;
    for (const axis of axes.reverse()) {
      const along = axis === first ? Infinity : this.most[axis]!;
      const at = along === Infinity ? rest : rest % along;
      origin[axis] = at * this.chunk[axis]!;
      rest = along === Infinity ? 0 : Math.floor(rest / along);
    }
    return origin;
  }

  isInside(origin: readonly number[]): boolean {
    return origin.every((at, axis) => at < this.shape[axis]!);
  }

  /** Whether all elements of a chunk are the data set's. */
  isWhole(origin: readonly number[]): boolean {
    return origin.every((at, axis) => at + this.chunk[axis]! <= this.shape[axis]!);
  }

  /** The first indices of a chunk, given its place along each axis. */
  originAt(places: readonly number[]): readonly number[] {
    return places.map((at, axis) => at * this.chunk[axis]!);
  }

  /** The place of a chunk's first element among all. */
  firstElement(origin: readonly number[]): number {
    return origin.reduce((element, at, axis) => element * this.shape[axis]! + at, 0);
  }
}
