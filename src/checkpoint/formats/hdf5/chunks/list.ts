import type { ChunkedPlace, Hdf5Object } from '../messages';
import { isNowhere, type FileBytes } from '../bytes';
import { canHold, passed, type Filter } from '../filters';
import { extensibleArray } from './extensibleArray';
import { fixedArray } from './fixedArray';
import { Grid } from './grid';
import { olderTree } from './olderTree';
import type { ListedChunk } from './listedChunk';
import { newerTree } from './newerTree';

/** A chunk that was written, checked to lie in the file. */
export interface Chunk {
  readonly origin: readonly number[];
  readonly begin: number;
  readonly bytes: number;
  readonly filters: readonly Filter[];
}

/** Largest chunk that is read, in bytes: it is in memory whole, packed and unpacked. */
export const MAX_CHUNK_BYTES = 1 << 28;

/**
 * The chunks of a data set that were written, each once, in the order of their elements.
 * @throws Error that ends "it cannot be used: …"
 */
export async function listChunks(
  file: FileBytes,
  { shape = [], maxShape = shape, filters = [] }: Hdf5Object,
  place: ChunkedPlace,
): Promise<readonly Chunk[]> {
  const grid = new Grid(shape, maxShape, place);
  if (isNowhere(place.address)) return [];
  const listed = await read(file, place, grid, filters.length > 0);
  const chunks: Chunk[] = [];
  for (const chunk of listed) {
    if (isNowhere(chunk.address) || !grid.isInside(chunk.origin)) continue;
    const isWhole = !place.edgesUnfiltered || grid.isWhole(chunk.origin);
    const through = isWhole ? passed(filters, chunk.skipped) : [];
    const bytes = chunk.bytes ?? grid.chunkBytes;
    if (!(chunk.address + bytes <= file.size)) throw new Error('it is truncated');
    if (!canHold(through, bytes, grid.chunkBytes)) {
      throw new Error(
        `a chunk in it takes ${bytes} bytes, which cannot hold the ${grid.chunkBytes} that it should`,
      );
    }
    chunks.push({ origin: chunk.origin, begin: chunk.address, bytes, filters: through });
  }
  chunks.sort((a, b) => grid.firstElement(a.origin) - grid.firstElement(b.origin));
  for (const [i, { origin }] of chunks.entries()) {
    const before = chunks[i - 1];
    if (before && grid.firstElement(before.origin) === grid.firstElement(origin)) {
      throw new Error('a data set in it has two chunks in one place');
    }
  }
  return chunks;
}

async function read(
  file: FileBytes,
  place: ChunkedPlace,
  grid: Grid,
  isPacked: boolean,
): Promise<readonly ListedChunk[]> {
  const { index, address, packed } = place;
  switch (index) {
    case 'tree':
      return olderTree(file, address, grid);
    case 'newTree':
      return newerTree(file, address, grid);
    case 'fixedArray':
      return fixedArray(file, address, grid);
    case 'extensibleArray':
      return extensibleArray(file, address, grid);
    case 'single':
      file.countChunks(1);
      if (isPacked && !packed) throw new Error('the only chunk of a data set in it has no size');
      return [
        { origin: grid.originOf(0), address, skipped: packed?.skipped ?? 0, ...sizeOf(packed) },
      ];
    case 'implicit': {
      file.countChunks(grid.count);
      return Array.from({ length: grid.count }, (_, i) => ({
        origin: grid.originOf(i),
        address: address + i * grid.chunkBytes,
        skipped: 0,
      }));
    }
  }
}

const sizeOf = (packed: ChunkedPlace['packed']): { readonly bytes?: number } =>
  packed ? { bytes: packed.bytes } : {};
