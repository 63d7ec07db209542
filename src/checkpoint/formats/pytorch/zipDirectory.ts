import type { Entry, ZipFile } from 'yauzl';
import { UserError } from '../../../errors';
import { counted } from '../../../format';
import type { Deflated } from '../../layouts/inflated';
import type { ReadBytes } from '../../layouts/layout';
import { quoted } from '../../names';
import { withZip } from '../openZip';
import { canInflateTo } from '../zipParts';
import type { Failures } from './failures';

/** Files in an archive at most: one for each storage. */
const MAX_FILES = 250_000;
/** Bytes of the header that stands before each file, without its name. */
const LOCAL_HEADER_BYTES = 30;

/** A file of an archive as its directory tells of it. */
export interface ZipEntry {
  readonly name: string;
  /** First byte of the header before it. */
  readonly header: number;
  /** Of the file itself. */
  readonly bytes: number;
  /** That it takes in the archive. */
  readonly storedBytes: number;
  readonly packing: 'none' | 'deflate' | 'other';
  readonly crc32: number;
}

/** The files of a zip archive by name; nothing of them is read. @throws CorruptFileError */
export async function readDirectory(
  size: number,
  read: ReadBytes,
  fail: Failures,
): Promise<ReadonlyMap<string, ZipEntry>> {
  try {
    return await withZip(read, size, zip => entriesOf(zip, size, fail));
  } catch (error) {
    if (error instanceof UserError || isOfSystem(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return fail.corrupt(`its directory as a zip archive cannot be used (${quoted(reason)})`);
  }
}

const isOfSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

async function entriesOf(
  zip: ZipFile,
  size: number,
  fail: Failures,
): Promise<ReadonlyMap<string, ZipEntry>> {
  if (zip.entryCount > MAX_FILES) {
    fail.corrupt(`it is a zip archive of ${counted(zip.entryCount, 'file')}`);
  }
  const entries = new Map<string, ZipEntry>();
  for await (const entry of zip.eachEntry()) {
    const { fileName: name, relativeOffsetOfLocalHeader: header, crc32 } = entry;
    const { compressedSize: storedBytes, uncompressedSize } = entry;
    if (entries.has(name)) fail.corrupt(`it holds two files called ${quoted(name)}`);
    if (!(header + LOCAL_HEADER_BYTES + storedBytes <= size)) {
      fail.corrupt(`it is truncated: ${quoted(name)} would lie behind its end`);
    }
    const packing = packingOf(entry);
    const bytes = packing === 'deflate' ? uncompressedSize : storedBytes;
    if (packing === 'deflate' && !canInflateTo(storedBytes, bytes)) {
      fail.corrupt(
        `${quoted(name)} states ${counted(bytes, 'byte')}, which its ${storedBytes} in the archive cannot hold`,
      );
    }
    entries.set(name, { name, header, bytes, storedBytes, packing, crc32 });
  }
  return entries;
}

function packingOf(entry: Entry): ZipEntry['packing'] {
  if (entry.isEncrypted()) return 'other';
  if (entry.compressionMethod === 0) return 'none';
  return entry.compressionMethod === 8 ? 'deflate' : 'other';
}

/** What is deflated of a file that begins at a byte; nothing where it stands as it is. */
export const deflatedIn = (
  { name, bytes, storedBytes, packing, crc32 }: ZipEntry,
  begin: number,
  file: string,
): Deflated | undefined =>
  packing === 'deflate'
    ? { what: `${file}: ${quoted(name)}`, begin, deflatedBytes: storedBytes, bytes, crc32 }
    : undefined;

/** Where a file of an archive begins, which only the header before it tells. @throws CorruptFileError */
export async function beginOf(
  { name, header, storedBytes, packing }: ZipEntry,
  size: number,
  read: ReadBytes,
  fail: Failures,
): Promise<number> {
  if (packing === 'other') {
    fail.unsupported(
      `it was encrypted, or compressed by another method than torch reads (${quoted(name)})`,
      'Unpack it and pack it again without compression (zip -0 -r), or load it with torch.load and save it with torch.save.',
    );
  }
  const head = await read(header, header + LOCAL_HEADER_BYTES);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getUint32(0, true) !== 0x04034b50) {
    fail.corrupt(`${quoted(name)} does not lie where the directory of the archive says`);
  }
  const begin = header + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (begin + storedBytes > size) {
    fail.corrupt(`it is truncated: ${quoted(name)} would lie behind its end`);
  }
  return begin;
}
