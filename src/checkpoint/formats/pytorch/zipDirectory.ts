import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { UserError } from '../../../errors';
import { counted } from '../../../format';
import type { ReadBytes } from '../../layouts/layout';
import { quoted } from '../../names';
import type { Failures } from './failures';
import { windowed } from './windowed';

/** Files in an archive at most: one for each storage. */
const MAX_FILES = 250_000;
/** Bytes read at once, for the many small reads of a directory. */
const WINDOW_BYTES = 1 << 18;
/** Bytes of the header that stands before each file, without its name. */
const LOCAL_HEADER_BYTES = 30;

/** A file of an archive as its directory tells of it. */
export interface ZipEntry {
  readonly name: string;
  /** First byte of the header before it. */
  readonly header: number;
  readonly bytes: number;
  /** Whether its bytes stand in the archive as they are. */
  readonly isPlain: boolean;
}

/** Lets the zip library read a file that is open already. */
class OpenFile extends RandomAccessReader {
  private fail: (error: unknown) => void = () => undefined;
  /** Rejects when the library trips over what it reads. */
  readonly failed = new Promise<never>((_, reject) => (this.fail = reject));

  private readonly readBytes: ReadBytes;

  constructor(
    read: ReadBytes,
    private readonly size: number,
  ) {
    super();
    this.readBytes = windowed(read, size, WINDOW_BYTES);
    this.failed.catch(() => undefined);
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const answer = (error: Error | null): void => {
      try {
        callback(error);
      } catch (thrown) {
        this.fail(thrown);
      }
    };
    this.bytes(position, position + length).then(
      bytes => {
        buffer.set(bytes, offset);
        answer(null);
      },
      (error: unknown) => {
        // The library would hide what kind of error it was.
        this.fail(error);
        answer(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  private async bytes(begin: number, end: number): Promise<Uint8Array> {
    if (begin < 0 || end > this.size) throw new Error('it points out of the file');
    return this.readBytes(begin, end);
  }

  /** Nothing is taken out of an archive by the library. */
  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }
}

/** The files of a zip archive by name; nothing of them is read. @throws CorruptFileError */
export async function readDirectory(
  size: number,
  read: ReadBytes,
  fail: Failures,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const reader = new OpenFile(read, size);
  const options = { autoClose: false, strictFileNames: true };
  try {
    const opening = fromRandomAccessReaderPromise(reader, size, options);
    const zip = await Promise.race([opening, reader.failed]);
    return await Promise.race([entriesOf(zip, size, fail), reader.failed]);
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
    const { fileName: name, relativeOffsetOfLocalHeader: header, compressedSize: bytes } = entry;
    if (entries.has(name)) fail.corrupt(`it holds two files called ${quoted(name)}`);
    if (!(header + LOCAL_HEADER_BYTES + bytes <= size)) {
      fail.corrupt(`it is truncated: ${quoted(name)} would lie behind its end`);
    }
    const isPlain = entry.compressionMethod === 0 && !entry.isEncrypted();
    entries.set(name, { name, header, bytes, isPlain });
  }
  return entries;
}

/** Where a file of an archive begins, which only the header before it tells. @throws CorruptFileError */
export async function beginOf(
  { name, header, bytes, isPlain }: ZipEntry,
  size: number,
  read: ReadBytes,
  fail: Failures,
): Promise<number> {
  if (!isPlain) {
    fail.unsupported(
      `it was compressed or encrypted after torch wrote it (${quoted(name)})`,
      'Unpack it and pack it again without compression (zip -0 -r), or load it with torch.load and save it with torch.save.',
    );
  }
  const head = await read(header, header + LOCAL_HEADER_BYTES);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getUint32(0, true) !== 0x04034b50) {
    fail.corrupt(`${quoted(name)} does not lie where the directory of the archive says`);
  }
  const begin = header + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (begin + bytes > size) {
    fail.corrupt(`it is truncated: ${quoted(name)} would lie behind its end`);
  }
  return begin;
}
