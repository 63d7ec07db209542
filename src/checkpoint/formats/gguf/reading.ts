import type { ByteReader } from './byteReader';
import { numberReaders } from './values';

/** Longest name of a tensor or an entry that is looked at, in bytes. */
const MAX_NAME_BYTES = 4096;

/** Ends the reading: what is wrong, without the file's name. */
export type Fail = (what: string, remedy?: string) => never;

/** A number that the reader has not made sure of yet; what is no safe integer comes as infinite. */
export async function readNumber(reader: ByteReader, kind: 'uint32' | 'uint64'): Promise<number> {
  const [bytes, get] = numberReaders[kind];
  if (!reader.has(bytes)) await reader.need(bytes);
  const value = reader.number(bytes, get);
  return typeof value === 'number' ? value : Infinity;
}

/** A count of things that take so many bytes each at least, which must be able to follow. */
export async function readCount(
  reader: ByteReader,
  { what, bytesEach }: { readonly what: string; readonly bytesEach: number },
  fail: Fail,
): Promise<number> {
  const count = await readNumber(reader, 'uint64');
  if (count * bytesEach > reader.left) {
    const stated = count === Infinity ? 'more than 2^53' : String(count);
    fail(`it states ${stated} ${what}, more than its header can hold`);
  }
  return count;
}

/** A text of at most so many bytes. */
export async function readText(
  reader: ByteReader,
  { what, most = MAX_NAME_BYTES }: { readonly what: string; readonly most?: number },
  fail: Fail,
): Promise<string> {
  const length = await readCount(reader, { what: `bytes of ${what}`, bytesEach: 1 }, fail);
  if (length > most) fail(`${what} has ${length} bytes; at most ${most} are allowed`);
  if (!reader.has(length)) await reader.need(length);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(reader.take(length));
  } catch {
    return fail(`${what} is not UTF-8 text`);
  }
}
