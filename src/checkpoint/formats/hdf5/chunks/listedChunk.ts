/** A chunk as an index of them tells: where it begins, in elements along each axis, and where it lies. */
export interface ListedChunk {
  readonly origin: readonly number[];
  readonly address: number;
  /** Bytes in the file; absent where they are those of the chunk itself. */
  readonly bytes?: number;
  /** A bit for each filter that it has not been through. */
  readonly skipped: number;
}
