import { open, type FileHandle } from 'node:fs/promises';

import { CorruptFileError, UserError } from '../errors';

/** Handles kept open at once; a checkpoint of thousands of shards must not exhaust the process. */
const MAX_OPEN_FILES = 64;
/** Most bytes asked of the system in one call; Node refuses 2 GiB and more. */
const READ_BYTES = 1 << 28;

/** Identity of a file when its header was read: later reads must find the same one. */
export interface FileIdentity {
  readonly size: number;
  readonly modified: number;
}

/** A failure to read as a person should see it; what is no matter of theirs passes unchanged. */
export function explainReadError(error: unknown, path: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const cause = { cause: error };
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new UserError(`${path} does not exist.`, 'Check the path.', cause);
    case 'EACCES':
    case 'EPERM':
      return new UserError(
        `${path} may not be read.`,
        'Change its permissions or ask its owner.',
        cause,
      );
    case 'EIO':
      return new UserError(`${path} cannot be read from its disk.`, 'Check the disk.', cause);
    case 'EMFILE':
    case 'ENFILE':
      return new UserError(
        `${path} cannot be opened: too many files are open.`,
        'Close other programs or raise the limit (ulimit -n).',
        cause,
      );
    case 'ELOOP':
      return new UserError(`${path} is a link that leads to itself.`, 'Repair the link.', cause);
    case 'ENAMETOOLONG':
      return new UserError(`The path ${path} is too long.`, 'Use a shorter path.', cause);
    default:
      return error;
  }
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

  constructor(private readonly identities: ReadonlyMap<string, FileIdentity>) {}

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
      const handle = await open(file, 'r');
      const { size, mtimeMs } = await handle.stat();
      const expected = this.identities.get(file);
      if (expected?.size !== size || expected.modified !== mtimeMs) {
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
