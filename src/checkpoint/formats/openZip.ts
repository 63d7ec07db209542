import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import type { ReadBytes } from '../layouts/layout';
import { windowed } from './windowed';

/** Bytes read at once, for the many small reads of a directory. */
const WINDOW_BYTES = 1 << 18;

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

/** Uses the directory of a zip archive. Rejects with what it was that the library tripped over, too. */
export async function withZip<T>(
  read: ReadBytes,
  size: number,
  use: (zip: ZipFile) => Promise<T>,
): Promise<T> {
  const reader = new OpenFile(read, size);
  const options = { autoClose: false, strictFileNames: true };
  const used = fromRandomAccessReaderPromise(reader, size, options).then(use);
  return Promise.race([used, reader.failed]);
}
