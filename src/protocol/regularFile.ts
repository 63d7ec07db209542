import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** Kinds of failure by which a path leads to no file that could be read. */
const notThere = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO', 'EACCES', 'EPERM']);

/**
 * Opens a file for reading; undefined when there is none, or something else: a FIFO would hold us up until
 * somebody writes, a device has no end.
 */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (notThere.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  const isFile = await file.stat().then(
    status => status.isFile(),
    () => false,
  );
  if (isFile) return file;
  await file.close();
  return undefined;
}

/** All of a file of at most so many bytes; undefined when there is none, it is longer or something else. */
export async function readSmall(path: string, most: number): Promise<Buffer | undefined> {
  const file = await openRegular(path);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    return size > most ? undefined : await readRange(file, 0, size);
  } finally {
    await file.close();
  }
}

/** The last bytes of a file, at most so many, and where they begin; undefined when there is no file. */
export async function readEnd(
  path: string,
  most: number,
): Promise<{ readonly bytes: Buffer; readonly from: number } | undefined> {
  const file = await openRegular(path);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - most);
    return { bytes: await readRange(file, from, size - from), from };
  } finally {
    await file.close();
  }
}

/** So many bytes from one on; fewer where the file ends before. */
export async function readRange(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, from + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}
