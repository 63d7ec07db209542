import { Cursor, isNowhere, type FileBytes } from '../bytes';
import { entryForm, readEntries, type Entry } from './entries';
import type { Grid } from './grid';
import type { ListedChunk } from './listedChunk';

/** Bytes of a sum behind a part of a structure. */
const SUM_BYTES = 4;

/** The chunks that an array of fixed length lists. @throws Error that ends "it cannot be used: …" */
export async function fixedArray(
  file: FileBytes,
  address: number,
  grid: Grid,
): Promise<readonly ListedChunk[]> {
  const head = new Cursor(await file.signed(address, 'FAHD', 28), 5);
  const form = entryForm(head.number(1), head.number(1));
  const pageBits = head.number(1);
  const [count, block] = [head.number(8), head.number(8)];
  if (isNowhere(block)) return [];
  if (count !== grid.count)
    throw new Error('a list of chunks in it has another length than it should');
  file.countChunks(count);
  const chunks: ListedChunk[] = [];
  const add = (first: number) => (i: number, entry: Entry) =>
    chunks.push({ origin: grid.originOf(first + i), ...entry });
  await file.signed(block, 'FADB', 14);
  const perPage = 2 ** pageBits;
  if (count <= perPage) {
    readEntries(new Cursor(await file.at(block + 14, count * form.bytes)), count, form, add(0));
    return chunks;
  }
  const pages = Math.ceil(count / perPage);
  const written = await file.at(block + 14, Math.ceil(pages / 8));
  const begin = block + 14 + written.byteLength + SUM_BYTES;
  for (let page = 0; page < pages; page++) {
    if ((written.getUint8(page >> 3) & (0x80 >> (page & 7))) === 0) continue;
    const first = page * perPage;
    const used = Math.min(perPage, count - first);
    const at = begin + page * (perPage * form.bytes + SUM_BYTES);
    readEntries(new Cursor(await file.at(at, used * form.bytes)), used, form, add(first));
  }
  return chunks;
}
