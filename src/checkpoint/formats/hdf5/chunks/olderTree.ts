import { Cursor, type FileBytes } from '../bytes';
import type { Grid } from './grid';
import type { ListedChunk } from './listedChunk';

const MAX_LEVELS = 64;
/** Entries of a node; HDF5 makes no larger ones than it is told to, 64 as a rule. */
const MAX_ENTRIES = 4_096;

/** The chunks that a tree of the older form (version 1) lists. @throws Error that ends "it cannot be used: …" */
export async function olderTree(
  file: FileBytes,
  address: number,
  grid: Grid,
): Promise<readonly ListedChunk[]> {
  const chunks: ListedChunk[] = [];
  const visited = new Set<number>();
  const keyBytes = 8 + 8 * (grid.rank + 1);
  const visit = async (at: number, above: number): Promise<void> => {
    if (visited.has(at)) throw new Error('its structure leads back to itself');
    visited.add(at);
    const head = await file.signed(at, 'TREE', 24);
    const [type, level, used] = [head.getUint8(4), head.getUint8(5), head.getUint16(6, true)];
    if (type !== 1 || level >= above || used > MAX_ENTRIES) {
      throw new Error('the tree of chunks of a data set in it is none');
    }
    if (level === 0) file.countChunks(used);
    const body = new Cursor(await file.at(at + 24, used * (keyBytes + 8)));
    for (let i = 0; i < used; i++) {
      const [bytes, skipped] = [body.number(4), body.number(4)];
      const origin = Array.from({ length: grid.rank }, () => body.number(8));
      body.skip(8);
      const child = body.number(8);
      if (level > 0) {
        await visit(child, level);
        continue;
      }
      if (origin.some((first, axis) => first % grid.chunk[axis]! !== 0)) {
        throw new Error('a chunk in it begins where none can');
      }
      chunks.push({ origin, address: child, bytes, skipped });
    }
  };
  await visit(address, MAX_LEVELS);
  return chunks;
}
