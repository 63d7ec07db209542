import type { Entry, ZipFile } from 'yauzl';

import { CorruptFileError } from '../../errors';
import type { Deflated } from '../layouts/inflated';
import { quoted } from '../names';
import type { FormatFile } from './format';
import { withZip } from './openZip';
import { structureOf, type Fail } from './structure';

/** Most files in an archive: models have a few thousand arrays, and each is looked at. */
const MAX_FILES = 10_000;
/** Deflate makes nothing smaller than this many times. */
const MOST_DEFLATED = 1040;

/** Whether so many deflated bytes can hold so many: an archive that states more is no archive but a bomb. */
export const canInflateTo = (deflatedBytes: number, bytes: number): boolean =>
  bytes <= deflatedBytes * MOST_DEFLATED + 1024;

/** A file in an archive, as the directory tells of it. */
export interface ZipFilePart {
  readonly name: string;
  /** Bytes of the file itself. */
  readonly bytes: number;
  readonly isDeflated: boolean;
  /** Where its data lie in the archive. */
  readonly begin: number;
  readonly storedBytes: number;
  readonly crc32: number;
}

/**
 * Lists the files of a zip archive by its directory; nothing is inflated. What passes lies in the
 * archive, and claims no more bytes than deflating can have hidden there.
 * @throws CorruptFileError
 */
export async function listZip({ file, size, read }: FormatFile): Promise<readonly ZipFilePart[]> {
  const fail: Fail = (what, options) => {
    throw new CorruptFileError(
      `${file} cannot be used: ${what}.`,
      'Copy or download the file again; if that does not help, save it anew.',
      options,
    );
  };
  return structureOf(
    withZip(read, size, zip => partsOf(zip, size, fail)),
    fail,
  );
}

async function partsOf(zip: ZipFile, size: number, fail: Fail): Promise<readonly ZipFilePart[]> {
  if (zip.entryCount > MAX_FILES) {
    return fail(`it holds ${zip.entryCount} files; at most ${MAX_FILES} are allowed`);
  }
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  const parts: ZipFilePart[] = [];
  const names = new Set<string>();
  for (const entry of entries) {
    const { fileName: name, compressionMethod: method, uncompressedSize: bytes } = entry;
    const what = `its file ${quoted(name)}`;
    if (names.has(name)) fail(`${what} stands in it twice`);
    names.add(name);
    if (entry.isEncrypted()) fail(`${what} is encrypted`);
    if (method !== 0 && method !== 8) fail(`${what} is packed by method ${method}`);
    const { fileDataStart: begin } = await zip.readLocalFileHeaderPromise(entry);
    const storedBytes = entry.compressedSize;
    if (!isWhole(begin) || !isWhole(storedBytes) || !isWhole(bytes)) fail(`${what} has no size`);
    if (begin + storedBytes > size) fail(`${what} ends after the archive`);
    const canBe = method === 0 ? bytes === storedBytes : canInflateTo(storedBytes, bytes);
    if (!canBe) {
      fail(`${what} states ${bytes} bytes, which its ${storedBytes} in the archive cannot hold`);
    }
    const { crc32 } = entry;
    parts.push({ name, bytes, isDeflated: method === 8, begin, storedBytes, crc32 });
  }
  return parts;
}

/** What is deflated of a file in an archive. @param what what messages call it */
export const deflatedPart = (
  { begin, storedBytes, bytes, crc32 }: ZipFilePart,
  what: string,
): Deflated => ({ what, begin, deflatedBytes: storedBytes, bytes, crc32 });

/** The name of the first file in a zip archive, as its first bytes have it. */
export const firstName = (head: Uint8Array): string =>
  Buffer.from(head.subarray(30, 30 + (head[26]! | (head[27]! << 8)))).toString('latin1');

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
