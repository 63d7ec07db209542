import { Cursor, type FileBytes } from '../bytes';
import { readRecords } from '../newTree';
import type { Grid } from './grid';
import type { ListedChunk } from './listedChunk';

/** Chunks that such a tree may have; the file counts them all. */
const MAX_RECORDS = 1_000_000;

/** The chunks that a tree of the newer form (version 2) lists. @throws Error that ends "it cannot be used: …" */
export async function newerTree(
  file: FileBytes,
  address: number,
  grid: Grid,
): Promise<readonly ListedChunk[]> {
  const records = await readRecords(file, address, MAX_RECORDS);
  file.countChunks(records.length);
  return records.map(({ kind, body }) => {
    if (kind === 'namesOfLinks') throw new Error('a tree of chunks in it is none');
    const record = new Cursor(body);
    const at = record.number(8);
    const isPacked = kind === 'packedChunks';
    const sizeBytes = body.byteLength - 8 - 4 - 8 * grid.rank;
    const packed = isPacked
      ? { bytes: record.number(checkedSize(sizeBytes)), skipped: record.number(4) }
      : { skipped: 0 };
    const places = Array.from({ length: grid.rank }, () => record.number(8));
    return { origin: grid.originAt(places), address: at, ...packed };
  });
}

/** @throws Error when a size cannot have so many bytes */
export function checkedSize(bytes: number): number {
  if (bytes >= 1 && bytes <= 8) return bytes;
  throw new Error('a list of chunks in it has entries of no usable size');
}
