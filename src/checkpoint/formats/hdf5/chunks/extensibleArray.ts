import { Cursor, isNowhere, type FileBytes } from '../bytes';
import { entryForm, readEntries, type Entry, type EntryForm } from './entries';
import type { Grid } from './grid';
import type { ListedChunk } from './listedChunk';

/** Bytes of a sum behind a part of a structure. */
const SUM_BYTES = 4;
/** Bytes before what a block holds: a signature, a version, a client, the header's address. */
const BEFORE = 14;

/** An array of chunks that may grow, as its header describes it. */
interface ArrayHead {
  readonly form: EntryForm;
  /** Entries in the index block itself. */
  readonly inIndex: number;
  /** Entries of the smallest block, and of a page. */
  readonly leastEntries: number;
  readonly pageEntries: number;
  /** Blocks that the index block lists itself, and blocks of blocks. */
  readonly listed: number;
  readonly superBlocks: number;
  /** Blocks of blocks whose blocks the index block lists. */
  readonly firstSuper: number;
  /** Bytes of a place in the array. */
  readonly offsetBytes: number;
  /** Entries up to the last one that was written. */
  readonly used: number;
  readonly index: number;
}

/** The chunks that an array that may grow lists. @throws Error that ends "it cannot be used: …" */
export async function extensibleArray(
  file: FileBytes,
  address: number,
  grid: Grid,
): Promise<readonly ListedChunk[]> {
  const head = await readHead(file, address);
  if (isNowhere(head.index)) return [];
  file.countChunks(head.used);
  const { form, inIndex, listed, superBlocks } = head;
  const slowest = Math.max(0, grid.endlessAxis);
  const chunks: ListedChunk[] = [];
  const add = (first: number) => (i: number, entry: Entry) =>
    chunks.push({ origin: grid.originOf(first + i, slowest), ...entry });
  await file.signed(head.index, 'EAIB', BEFORE);
  const bytes = inIndex * form.bytes + 8 * (listed + superBlocks);
  const index = new Cursor(await file.at(head.index + BEFORE, bytes));
  readEntries(index, inIndex, form, add(0));
  let first = inIndex;
  for (const level of levelsOf(head)) {
    if (first >= head.used) break;
    const isListed = level.number < head.firstSuper;
    const blocks = isListed
      ? { addresses: addressesIn(index, level.blocks), written: undefined }
      : await superBlock(file, index.number(8), head, level);
    for (const [i, block] of blocks.addresses.entries()) {
      const begin = first + i * level.entries;
      if (begin >= head.used) break;
      if (isNowhere(block)) continue;
      const pages = blocks.written?.slice(i * level.pages, (i + 1) * level.pages);
      await dataBlock(file, block, head, level, pages, (at, entry) => add(begin)(at, entry));
    }
    first += level.blocks * level.entries;
  }
  return chunks;
}

async function readHead(file: FileBytes, address: number): Promise<ArrayHead> {
  const head = new Cursor(await file.signed(address, 'EAHD', 72), 5);
  const form = entryForm(head.number(1), head.number(1));
  const [bits, inIndex, leastEntries] = [head.number(1), head.number(1), head.number(1)];
  const [leastPointers, pageBits] = [head.number(1), head.number(1)];
  head.skip(4 * 8);
  const used = head.number(8);
  head.skip(8);
  const levels = 1 + bits - Math.log2(leastEntries);
  const firstSuper = 2 * Math.log2(leastPointers);
  const superBlocks = levels - firstSuper;
  const areWhole = [levels, firstSuper].every(value => Number.isInteger(value) && value >= 0);
  if (!areWhole || bits > 64 || pageBits > 32 || superBlocks < 0) {
    throw new Error('a list of chunks in it is none');
  }
  return {
    form,
    inIndex,
    leastEntries,
    pageEntries: 2 ** pageBits,
    listed: 2 * (leastPointers - 1),
    superBlocks,
    firstSuper,
    offsetBytes: Math.ceil(bits / 8),
    used,
    index: head.number(8),
  };
}

/** Blocks of one size. */
interface BlockLevel {
  readonly number: number;
  readonly blocks: number;
  /** Entries of each. */
  readonly entries: number;
  /** Pages of each; 0 where its entries stand in the block itself. */
  readonly pages: number;
}

function levelsOf({ firstSuper, superBlocks, leastEntries, pageEntries }: ArrayHead): BlockLevel[] {
  return Array.from({ length: firstSuper + superBlocks }, (_, number) => {
    const entries = leastEntries * 2 ** Math.floor((number + 1) / 2);
    const pages = entries > pageEntries ? entries / pageEntries : 0;
    return { number, blocks: 2 ** Math.floor(number / 2), entries, pages };
  });
}

const addressesIn = (from: Cursor, count: number): number[] =>
  Array.from({ length: count }, () => from.number(8));

interface Blocks {
  readonly addresses: readonly number[];
  /** Whether each page of each block was written. */
  readonly written: readonly boolean[] | undefined;
}

/** Most blocks of a block of blocks; a file of a million chunks has some hundred. */
const MAX_BLOCKS = 1 << 16;

async function superBlock(
  file: FileBytes,
  address: number,
  { offsetBytes }: ArrayHead,
  { blocks, pages }: BlockLevel,
): Promise<Blocks> {
  if (isNowhere(address)) return { addresses: [], written: undefined };
  if (blocks > MAX_BLOCKS || blocks * pages > MAX_BLOCKS * 16) {
    throw new Error('a list of chunks in it is too long');
  }
  await file.signed(address, 'EASB', BEFORE);
  const bitBytes = Math.ceil(pages / 8);
  const at = address + BEFORE + offsetBytes;
  const bits = await file.at(at, blocks * bitBytes);
  const written = Array.from({ length: blocks * pages }, (_, i) => {
    const [block, page] = [Math.floor(i / pages), i % pages];
    return (bits.getUint8(block * bitBytes + (page >> 3)) & (0x80 >> (page & 7))) !== 0;
  });
  const addresses = addressesIn(
    new Cursor(await file.at(at + bits.byteLength, 8 * blocks)),
    blocks,
  );
  return { addresses, written };
}

async function dataBlock(
  file: FileBytes,
  address: number,
  { form, offsetBytes, pageEntries }: ArrayHead,
  { entries, pages }: BlockLevel,
  written: readonly boolean[] | undefined,
  each: (number: number, entry: Entry) => void,
): Promise<void> {
  await file.signed(address, 'EADB', BEFORE);
  const begin = address + BEFORE + offsetBytes;
  if (pages === 0) {
    readEntries(new Cursor(await file.at(begin, entries * form.bytes)), entries, form, each);
    return;
  }
  for (let page = 0; page < pages; page++) {
    if (written?.[page] !== true) continue;
    const at = begin + SUM_BYTES + page * (pageEntries * form.bytes + SUM_BYTES);
    const from = new Cursor(await file.at(at, pageEntries * form.bytes));
    readEntries(from, pageEntries, form, (i, entry) => each(page * pageEntries + i, entry));
  }
}
