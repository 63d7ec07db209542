import { link, open, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { UserError } from '../errors';
import { chooseFile } from '../remedy/actions';
import { advise } from '../remedy/remedy';
import { cleanUpAfterDeadRuns, siblingNames, statusOf, syncFolder } from './outputFolder';
import { lockOutput } from './outputLock';
import { explainWriteError } from './writeErrors';

/** Appends bytes to a file. */
export type Append = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes a file that appears under its name whole or not at all: work goes to a hidden sibling in the same
 * folder, which then takes the name.
 * @throws UserError when it cannot be written, is being written, or is there and not to be replaced
 */
export async function writeOutputFile(
  target: string,
  { overwrite }: { readonly overwrite: boolean },
  write: (append: Append) => Promise<void>,
): Promise<void> {
  const path = await followed(resolve(target));
  const parent = dirname(path);
  let lock;
  try {
    if ((await statusOf(parent))?.isDirectory() !== true) {
      throw new UserError(
        `${path} cannot be written: there is no folder ${parent}.`,
        'Make the folder first, or choose another.',
      );
    }
    lock = await lockOutput(path);
    await requireFree(path, overwrite);
    const { prefix, partial } = siblingNames(path);
    await cleanUpAfterDeadRuns(path, prefix);
    await writeThrough(join(parent, partial), path, overwrite, write);
    await syncFolder(parent);
  } catch (error) {
    throw explainWriteError(error, path);
  } finally {
    await lock?.release();
  }
}

/** What a link leads to, so that this is replaced and not the link; anything else itself. */
const followed = (path: string): Promise<string> => realpath(path).catch(() => path);

async function requireFree(path: string, overwrite: boolean): Promise<void> {
  const status = await statusOf(path);
  if (status === undefined) return;
  if (!status.isFile()) {
    throw new UserError(`${path} is there and is no file.`, 'Choose another file.');
  }
  if (!overwrite) throw alreadyThere(path);
}

const alreadyThere = (path: string): UserError =>
  new UserError(`${path} already exists.`, advise`${chooseFile}.`);

async function writeThrough(
  partial: string,
  path: string,
  overwrite: boolean,
  write: (append: Append) => Promise<void>,
): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    const file = (handle = await open(partial, 'wx'));
    await write(async bytes => {
      await file.writeFile(bytes);
    });
    await handle.sync();
    await handle.close();
    handle = undefined;
    if (overwrite) await rename(partial, path);
    else await nameNew(partial, path);
  } finally {
    await handle?.close();
    await rm(partial, { force: true });
  }
}

/** Gives a file a name that nothing has, also where something took it during the work. */
async function nameNew(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(path);
    // Some disks know no hard links.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(code)) throw error;
    await requireFree(path, false);
    await rename(partial, path);
  }
}
