import { constants } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { CorruptFileError, UserError } from './errors';

/**
 * How files from anywhere are opened: whole regular files alone, of a size that was said before, in the
 * folder they belong to. A pipe would be waited on for ever, a device has no end, and a link may lead to
 * what its maker could not read himself.
 */

/** For reading, without waiting for a pipe's other end and without taking a terminal over. */
const opening = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Bytes that are asked for at once where a file does not say how long it is. */
const CHUNK_BYTES = 1 << 16;

/** What tells one state of a file from another, where the system does not lie. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: number;
  /** Nanoseconds; a program can set it at will. */
  readonly modified: bigint;
  /** Nanoseconds; of the file or of its name, permissions and links. No program can set it. */
  readonly changed: bigint;
}

interface BigStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** What tells a file from others, out of what the system says of it. */
export const identityOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigStats): FileIdentity => ({
  device: dev,
  inode: ino,
  size: Number(size),
  modified: mtimeNs,
  changed: ctimeNs,
});

/** Whether it is the same file and nothing wrote to it in between, as far as its times tell. */
export const isSameFile = (a: FileIdentity, b: FileIdentity): boolean =>
  a.device === b.device && a.inode === b.inode && a.size === b.size && a.modified === b.modified;

/** The identity of what a path leads to now; undefined where that is nothing. @throws UserError */
export async function identify(path: string): Promise<FileIdentity | undefined> {
  try {
    return identityOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw explainReadError(error, path);
  }
}

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
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
    case 'EAGAIN':
      return new UserError(`${path} has nothing to read yet.`, 'Give a file on a disk.', cause);
    default:
      return error;
  }
}

interface Kind {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** @throws CorruptFileError when it is anything but a regular file */
function requireRegular(kind: Kind, path: string): void {
  if (kind.isFile()) return;
  let is = 'a device';
  if (kind.isDirectory()) is = 'a folder';
  else if (kind.isFIFO()) is = 'a pipe';
  else if (kind.isSocket()) is = 'a socket';
  throw new CorruptFileError(
    `${path} is ${is} where a file should be.`,
    'Put the file itself there, or give another path.',
  );
}

/** A regular file that is open for reading; whoever opened it closes it. */
export interface RegularFile {
  readonly handle: FileHandle;
  readonly identity: FileIdentity;
}

/**
 * Opens a regular file, links followed. It neither waits nor reads.
 * @throws UserError when it is anything else or cannot be opened
 */
export async function openRegular(path: string): Promise<RegularFile> {
  let handle: FileHandle | undefined;
  try {
    // Opening a pipe or a device does something to it, so it is looked at before; what counts is the
    // look at what was opened.
    requireRegular(await stat(path), path);
    handle = await open(path, opening);
    const status = await handle.stat({ bigint: true });
    requireRegular(status, path);
    return { handle, identity: identityOf(status) };
  } catch (error) {
    await handle?.close();
    throw explainReadError(error, path);
  }
}

/** Kinds of failure by which a path leads to no file that could be read. */
const unusable = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES', 'EPERM']);

const isUnusable = (error: unknown): boolean =>
  unusable.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');

/**
 * Opens a regular file of our own that may have gone; undefined when there is none, something else, or
 * one that may not be read.
 * @throws UserError when its disk or the system fails
 */
export async function openIfRegular(path: string): Promise<FileHandle | undefined> {
  return (await regularIfThere(path))?.handle;
}

async function regularIfThere(path: string): Promise<RegularFile | undefined> {
  try {
    return await openRegular(path);
  } catch (error) {
    if (error instanceof CorruptFileError || isUnusable(error)) return undefined;
    if (error instanceof UserError && isUnusable(error.cause)) return undefined;
    throw error;
  }
}

/** So many bytes from one on; fewer where the file ends before. */
export async function readRange(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** All of a file of at most so many bytes; undefined as of `openIfRegular`, and when it is longer. */
export async function readSmall(path: string, most: number): Promise<Buffer | undefined> {
  const file = await regularIfThere(path);
  if (!file) return undefined;
  const { handle, identity } = file;
  try {
    return identity.size > most ? undefined : await readRange(handle, 0, identity.size);
  } finally {
    await handle.close();
  }
}

/** The last bytes of a file, at most so many, and where they begin; undefined as of `openIfRegular`. */
export async function readEnd(
  path: string,
  most: number,
): Promise<{ readonly bytes: Buffer; readonly from: number } | undefined> {
  const file = await regularIfThere(path);
  if (!file) return undefined;
  const { handle, identity } = file;
  try {
    const from = Math.max(0, identity.size - most);
    return { bytes: await readRange(handle, from, identity.size - from), from };
  } finally {
    await handle.close();
  }
}

/** A file that was read whole. */
export interface WholeFile {
  readonly bytes: Uint8Array;
  readonly identity: FileIdentity;
}

/**
 * Reads a regular file whole, whatever size the system tells of it.
 * @param limit bytes at most
 * @throws UserError, CorruptFileError when it has more than `limit` bytes
 */
export async function readWhole(path: string, limit: number): Promise<WholeFile> {
  const { handle, identity } = await openRegular(path);
  try {
    if (identity.size > limit) throw tooLarge(path, `${identity.size}`, limit);
    // One byte more than it should have, to see that it ends there.
    let buffer = Buffer.allocUnsafe(identity.size + 1);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
      if (filled > limit) throw tooLarge(path, `over ${limit}`, limit);
      if (filled === buffer.length) buffer = Buffer.concat([buffer], filled + CHUNK_BYTES);
    }
    return { bytes: buffer.subarray(0, filled), identity };
  } catch (error) {
    throw explainReadError(error, path);
  } finally {
    await handle.close();
  }
}

function tooLarge(path: string, bytes: string, limit: number): CorruptFileError {
  return new CorruptFileError(
    `${path} has ${bytes} bytes, more than any such file (${limit}).`,
    'Download it again, or check that it is the file you mean.',
  );
}

/** The text of bytes that are UTF-8; a byte order mark stays. @throws CorruptFileError */
function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CorruptFileError(
      `${path} is not UTF-8 text.`,
      'Download it again, or save it as UTF-8 in an editor.',
      { cause },
    );
  }
}

/** The text of a regular file. @param limit bytes at most @throws UserError, CorruptFileError */
export async function readTextFile(path: string, limit: number): Promise<string> {
  return decodeUtf8((await readWhole(path, limit)).bytes, path);
}

/** What a reading gives, or undefined where there is nothing to read. */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof UserError && isMissing(error.cause)) return undefined;
    throw error;
  }
}

const contains = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/**
 * Whether a file is what a snapshot in the Hugging Face cache links to: `snapshots/<revision>/…` and
 * `blobs/<name>` of one `models--<owner>--<name>`. Both paths have no links in them.
 */
function isBlobOf(folder: string, file: string): boolean {
  const parts = folder.split(sep);
  return parts.some((part, at) => {
    if (part !== 'snapshots' || at + 1 >= parts.length) return false;
    if (!/^(models|datasets|spaces)--./.test(parts[at - 1] ?? '')) return false;
    const blobs = [...parts.slice(0, at), 'blobs', ''].join(sep);
    return file.startsWith(blobs) && !file.slice(blobs.length).includes(sep);
  });
}

/**
 * The path without links of a file that belongs to a folder. Links are followed within the folder, and
 * from a snapshot of the Hugging Face cache to its own blobs: what a folder from anywhere links to
 * elsewhere is not its maker's to read or to give on. A hard link cannot be told from a file.
 * @throws UserError when it leads out of the folder, or there is no such file
 */
export async function ownPath(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  let root: string;
  let real: string;
  try {
    [root, real] = await Promise.all([realpath(folder), realpath(path)]);
  } catch (error) {
    throw explainReadError(error, path);
  }
  if (contains(root, real) || isBlobOf(root, real)) return real;
  throw new UserError(
    `${path} is not used: it is a link out of its folder, to ${real}.`,
    'Put the file itself in place of the link if it belongs to the checkpoint; otherwise remove the link.',
  );
}

/** A file that belongs to a folder, read whole; undefined where there is none. @throws UserError */
export async function readOwn(
  folder: string,
  name: string,
  limit: number,
): Promise<WholeFile | undefined> {
  return ifThere(ownPath(folder, name).then(path => readWhole(path, limit)));
}

/** The text of a file that belongs to a folder; undefined where there is none. @throws UserError */
export async function readOwnText(
  folder: string,
  name: string,
  limit: number,
): Promise<string | undefined> {
  const file = await readOwn(folder, name, limit);
  return file && decodeUtf8(file.bytes, join(folder, name));
}

/** What a person can do about a file that the system would not open or read. */
export function unreadable(path: string, cause: unknown): UserError {
  return new UserError(
    `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    'Check the path, its permissions and the disk.',
    { cause },
  );
}
