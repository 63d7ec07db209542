import type { FileHandle } from 'node:fs/promises';

import { CorruptFileError } from '../errors';
import { explainReadError, isSameFile, openRegular, type FileIdentity } from '../files';

/** Handles kept open at once; a checkpoint of thousands of shards must not exhaust the process. */
const MAX_OPEN_FILES = 64;
/** Most bytes asked of the system in one call; Node refuses 2 GiB and more. */
const READ_BYTES = 1 << 28;

/** A file as it was when its header was read: later reads must find the same one. */
export interface SeenFile {
  /** Where it lies, without links. */
  readonly path: string;
  readonly identity: FileIdentity;
}

/** Fills `target` from a position in a file. @throws CorruptFileError when the file ends before. */
export async function readFully(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  file: string,
): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(READ_BYTES, target.byteLength - done);
    const { bytesRead } = await handle.read(target, done, length, position + done);
    if (bytesRead === 0) {
      throw new CorruptFileError(
        `${file} ended while it was being read.`,
        'Wait until whatever writes it has finished, then try again.',
      );
    }
    done += bytesRead;
  }
}

interface Entry {
  readonly handle: Promise<FileHandle>;
  users: number;
}

/** Files of one checkpoint, opened when first needed, kept open while few, closed together. */
export class OpenFiles {
  private readonly entries = new Map<string, Entry>();
  private closed = false;

  constructor(private readonly seen: ReadonlyMap<string, SeenFile>) {}

  /** Reads a range of a file. @throws UserError, CorruptFileError when the file has changed. */
  async read(file: string, begin: number, target: Uint8Array): Promise<void> {
    if (this.closed) throw new Error('the checkpoint was closed');
    const entry = this.entries.get(file) ?? { handle: this.open(file), users: 0 };
    // Taken out and put back so that the map runs from the least to the most recently used.
    this.entries.delete(file);
    this.entries.set(file, entry);
    entry.users++;
    try {
      await readFully(await entry.handle, target, begin, file);
    } catch (error) {
      throw explainReadError(error, file);
    } finally {
      entry.users--;
      await this.trim();
    }
  }

  /** Ends the lifetime; reads that are under way may fail. */
  async close(): Promise<void> {
    this.closed = true;
    const entries = [...this.entries.values()];
    this.entries.clear();
    for (const { handle } of entries) {
      const opened = await handle.catch(() => undefined); // never opened: its reader was told
      await opened?.close();
    }
  }

  private async open(file: string): Promise<FileHandle> {
    try {
      const seen = this.seen.get(file);
      if (seen === undefined) throw new Error(`${file} is no file of the checkpoint`);
      const { handle, identity } = await openRegular(seen.path);
      if (!isSameFile(seen.identity, identity)) {
        await handle.close();
        throw new CorruptFileError(
          `${file} changed after it was opened.`,
          'Open the checkpoint again.',
        );
      }
      return handle;
    } catch (error) {
      // The next read tries afresh.
      this.entries.delete(file);
      throw error;
    }
  }

  private async trim(): Promise<void> {
    for (const [file, entry] of this.entries) {
      if (this.entries.size <= MAX_OPEN_FILES) return;
      if (entry.users > 0) continue;
      this.entries.delete(file);
      await (await entry.handle).close();
    }
  }
}
