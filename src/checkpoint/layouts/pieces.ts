import type { Layout, ReadBytes } from './layout';

/** Bytes of a tensor that lie together. */
export interface Piece {
  /** Another file than the tensor's own. */
  readonly file?: string;
  readonly begin: number;
  readonly bytes: number;
}

/** A layout of the bytes that these pieces make one after the other: positions count from the first's. */
export function inPieces(pieces: readonly Piece[], layout: Layout): Layout {
  return {
    read: (readBytes, firstElement, count) =>
      layout.read(acrossPieces(pieces, readBytes), firstElement, count),
  };
}

/** Reads of the bytes that pieces make one after the other. */
export function acrossPieces(pieces: readonly Piece[], readBytes: ReadBytes): ReadBytes {
  return async (begin, end) => {
    const bytes = new Uint8Array(end - begin);
    let at = 0;
    for (const { file, begin: from, bytes: length } of pieces) {
      const first = Math.max(begin, at);
      const last = Math.min(end, at + length);
      if (first < last) {
        const part = await readBytes(from + first - at, from + last - at, file);
        bytes.set(part, first - begin);
      }
      at += length;
    }
    return bytes;
  };
}
