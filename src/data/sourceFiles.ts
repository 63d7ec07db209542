import { open, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { UserError } from '../errors';
import { isMissing } from '../files';
import { unreadable } from './jsonFiles';

/** A file of a data source. */
export interface SourceFile {
  readonly path: string;
  /** Relative to the path the person gave, with `/`. */
  readonly name: string;
  readonly bytes: number;
}

/** Reads part of a file; replaced in tests that count what is read. Fewer bytes only at the end. */
export type ReadBytes = (path: string, position: number, length: number) => Promise<Buffer>;

/** Opens and closes the file for each read, so that a folder of any number of files holds no handle. */
export const readBytes: ReadBytes = async (path, position, length) => {
  let handle;
  try {
    handle = await open(path, 'r');
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    await handle?.close();
  }
};

/** Whether a path is a folder; UserError when there is nothing at the path. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (!isMissing(cause)) throw unreadable(path, cause);
    throw new UserError(
      `There is no file or folder ${path}.`,
      'Check the spelling of the data path; a relative path starts at the current folder.',
      { cause },
    );
  }
}

/** The order of code units: the same on every machine, whatever its language. */
const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/**
 * Everything a folder holds, sorted by name at every level. Hidden entries are left out, and so are
 * symbolic links, which could lead out of the folder or in circles.
 */
async function* walk(folder: string, prefix: string): AsyncGenerator<SourceFile> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw unreadable(folder, cause);
  }
  for (const entry of entries.filter(({ name }) => !name.startsWith('.')).sort(byName)) {
    const path = join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) yield* walk(path, `${name}/`);
    else if (entry.isFile()) yield { path, name, bytes: (await stat(path)).size };
  }
}

/** The files of a folder and below that end in one of `extensions`, and how many others there are. */
export async function listFolder(
  folder: string,
  extensions: readonly string[],
): Promise<{ files: SourceFile[]; others: SourceFile[] }> {
  const files: SourceFile[] = [];
  const others: SourceFile[] = [];
  for await (const file of walk(folder, '')) {
    (extensions.includes(extname(file.name).toLowerCase()) ? files : others).push(file);
  }
  return { files, others };
}

/** A path that is a file as the only file of a source. */
export async function singleFile(path: string): Promise<SourceFile> {
  return { path, name: basename(path), bytes: (await stat(path)).size };
}
