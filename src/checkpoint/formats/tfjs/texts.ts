import type { ReadBytes } from '../../layouts/layout';
import { acrossPieces, type Piece } from '../../layouts/pieces';

/** Most texts of one tensor: each may be a read. */
const MAX_TEXTS = 100_000;
/** Bytes read at a time. */
const BLOCK = 1 << 12;

/**
 * Bytes that a tensor of so many texts takes from a byte on: each is its length in four bytes and the
 * text. Undefined where they end after what there is.
 */
export async function textBytes(
  pieces: readonly Piece[],
  readBytes: ReadBytes,
  { begin, size, count }: { begin: number; size: number; count: number },
): Promise<number | undefined> {
  if (count > MAX_TEXTS) return undefined;
  const read = acrossPieces(pieces, readBytes);
  let at = begin;
  let block = new Uint8Array(0);
  let blockBegin = 0;
  for (let text = 0; text < count; text++) {
    if (at + 4 > size) return undefined;
    if (at < blockBegin || at + 4 > blockBegin + block.length) {
      blockBegin = at;
      block = new Uint8Array(await read(at, Math.min(size, at + BLOCK)));
    }
    at += 4 + new DataView(block.buffer).getUint32(at - blockBegin, true);
  }
  return at > size ? undefined : at - begin;
}
