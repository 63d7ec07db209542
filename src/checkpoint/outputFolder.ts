import { createHash, randomBytes } from 'node:crypto';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

import { UserError } from '../errors';
import { readSiblingName } from '../protocol/outputNames';
import { lockOutput, type OutputLock } from './outputLock';
import { explainWriteError } from './writeErrors';
import { chooseOutput } from '../remedy/actions';
import { advise } from '../remedy/remedy';

export { explainWriteError } from './writeErrors';

/** A folder in the making: whole under its target name after `commit`, absent otherwise. */
export interface OutputFolder {
  /** The temporary folder to write into, beside the target. */
  readonly path: string;
  /**
   * Gives the folder its name. When that fails the temporary folder stays, so that a caller may try
   * again or discard. @throws UserError
   */
  commit(): Promise<void>;
  /** Removes everything this output created; does nothing after `commit` or a second time. */
  discard(): Promise<void>;
}

/** What the temporary siblings of a target are called, so that left-overs can be told and traced. */
export interface SiblingNames {
  /** Begins the name of every sibling of this target that was made on this machine. */
  readonly prefix: string;
  readonly partial: string;
  readonly replaced: string;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Names that no other process uses beside a target. */
export function siblingNames(target: string): SiblingNames {
  // Hashes keep the name short whatever the target is called. The host is in it because process
  // ids mean nothing on another machine that shares the disk.
  const prefix = `.ligo-${shortHash(basename(target))}-${shortHash(hostname())}-`;
  const own = `${prefix}${process.pid}-${randomBytes(4).toString('hex')}`;
  return { prefix, partial: `${own}.partial`, replaced: `${own}.replaced` };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** The kind of thing at a path, links followed; undefined when there is nothing. */
export async function statusOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw explainWriteError(error, path);
  }
}

/** Whether something is there, links followed. */
const stands = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** What a sibling is, when the run that made it has died. */
function leftBy(name: string, prefix: string): 'partial' | 'replaced' | undefined {
  const sibling = readSiblingName(name);
  if (sibling?.prefix !== prefix || isRunning(sibling.pid)) return undefined;
  return sibling.kind;
}

/** Removes what runs that died left beside a target, and puts back a folder they had set aside. */
export async function cleanUpAfterDeadRuns(target: string, prefix: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent)) {
    const kind = leftBy(name, prefix);
    if (kind === undefined) continue;
    const path = join(parent, name);
    if (kind === 'replaced' && (await statusOf(target)) === undefined) {
      // The run died between setting the old folder aside and naming the new one.
      await rename(path, target);
    } else {
      await removeOrWarn(path);
    }
  }
}

/** For left-overs beside a target, whose presence must not stop the work. */
async function removeOrWarn(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    process.emitWarning(`The left-over folder ${path} could not be removed: ${String(error)}`);
  }
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Refuses targets whose replacement would be a disaster or cannot work. */
async function checkReplaceable(target: string): Promise<void> {
  if (contains(target, process.cwd()) || contains(target, homedir())) {
    throw new UserError(
      `${target} contains the current or the home folder and is not replaced.`,
      'Choose a new folder inside it.',
    );
  }
  const [own, parent] = await Promise.all([stat(target), stat(dirname(target))]);
  if (own.dev !== parent.dev) {
    throw new UserError(
      `${target} is the root of a disk or mounted folder and cannot be replaced.`,
      'Choose a new folder inside it.',
    );
  }
}

/**
 * Gives a folder its name back when a run was killed between setting it aside and naming its
 * successor; whoever is about to read the folder, or a file in it, calls this first. Does nothing
 * where something of that name stands or where nothing was set aside.
 * @throws UserError when the folder is there under its other name and cannot be renamed
 */
export async function restoreSetAside(target: string): Promise<void> {
  const path = resolve(target);
  // Looked at alone at first: what lies beside it may be thousands of others that are opened too.
  if (await stands(path)) return;
  for (const folder of [dirname(path), await linkedFolder(path)]) {
    const names = await namesIn(dirname(folder));
    if (names.includes(basename(folder))) continue;
    const { prefix } = siblingNames(folder);
    const aside = names.find(name => leftBy(name, prefix) === 'replaced');
    if (aside === undefined) continue;
    try {
      await rename(join(dirname(folder), aside), folder);
    } catch (error) {
      // Another process that was as quick has done it.
      if ((await statusOf(folder)) === undefined) throw explainWriteError(error, folder);
    }
  }
}

/** Removes a folder, if it is there, and what runs that died while they wrote it left beside it. */
export async function removeOutput(target: string): Promise<void> {
  const path = resolve(target);
  await rm(path, { recursive: true, force: true });
  const { prefix } = siblingNames(path);
  for (const name of await namesIn(dirname(path))) {
    if (leftBy(name, prefix)) await removeOrWarn(join(dirname(path), name));
  }
}

/** What a link leads to, be it there or not; anything else itself. */
async function linkedFolder(path: string): Promise<string> {
  try {
    return resolve(dirname(path), await readlink(path));
  } catch {
    return path; // no link, or nothing at all
  }
}

/** The names in a folder; none where it cannot be listed, which whoever reads there will say. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

/** Follows links, so that the folder they lead to is replaced and not the link. */
async function resolveTarget(target: string): Promise<string> {
  const path = resolve(target);
  const link = await lstat(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    // Of a file in place of a folder, creating the parent will say it.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw explainWriteError(error, path);
  });
  if (link?.isSymbolicLink() !== true) return path;
  await restoreSetAside(path);
  try {
    return await realpath(path);
  } catch (error) {
    throw new UserError(`${path} is a link that leads nowhere.`, 'Remove the link.', {
      cause: error,
    });
  }
}

async function checkTarget(target: string, overwrite: boolean): Promise<void> {
  const status = await statusOf(target);
  if (status === undefined) return;
  if (!status.isDirectory()) {
    throw new UserError(`${target} is a file, not a folder.`, 'Choose another output folder.');
  }
  const names = await readdir(target).catch((error: unknown) => {
    throw explainWriteError(error, target);
  });
  if (names.length > 0 && !overwrite) {
    throw new UserError(`${target} already exists and is not empty.`, advise`${chooseOutput}.`);
  }
  await checkReplaceable(target);
}

/** Asks the system to have a folder's entries on disk; Windows has no such call for folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot do this for folders; they order renames themselves.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** Removes the folders `mkdir` had to create above the target, as long as they are empty. */
async function removeCreatedParents(parent: string, firstCreated: string): Promise<void> {
  for (let folder = parent; contains(firstCreated, folder); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      // Somebody else uses it by now; it is theirs.
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) {
        return;
      }
      throw explainWriteError(error, folder);
    }
  }
}

async function putInPlace(partial: string, target: string, replaced: string): Promise<void> {
  const hadOld = (await statusOf(target)) !== undefined;
  if (hadOld) await rename(target, replaced);
  try {
    await rename(partial, target);
  } catch (error) {
    if (hadOld) await rename(replaced, target);
    throw error;
  }
  await syncFolder(dirname(target));
  // From here on the result stands, whatever becomes of the old folder.
  if (hadOld) await removeOrWarn(replaced);
}

/**
 * Prepares a folder that appears under its name whole or not at all: work goes to a hidden sibling,
 * which `commit` renames. An old folder in its place is only removed once the new one stands.
 * No other process may write the same target meanwhile.
 * @throws UserError before any work when the target cannot be written, is being written by another
 * run or must not be replaced
 */
export async function openOutputFolder(
  target: string,
  options: { readonly overwrite: boolean },
): Promise<OutputFolder> {
  const { overwrite } = options;
  const path = await resolveTarget(target);
  const parent = dirname(path);
  const names = siblingNames(path);
  const partial = join(parent, names.partial);
  let firstCreated: string | undefined;
  let lock: OutputLock | undefined;
  try {
    if ((await statusOf(parent))?.isDirectory() === false) {
      throw new UserError(
        `${path} cannot be created: ${parent} is a file.`,
        'Choose another output folder.',
      );
    }
    firstCreated = await mkdir(parent, { recursive: true });
    lock = await lockOutput(path);
    await cleanUpAfterDeadRuns(path, names.prefix);
    await checkTarget(path, overwrite);
    await mkdir(partial);
  } catch (error) {
    await lock?.release();
    if (firstCreated !== undefined) await removeCreatedParents(parent, firstCreated);
    throw explainWriteError(error, path);
  }
  const { release } = lock;
  let done = false;
  return {
    path: partial,
    async commit() {
      if (done) throw new Error(`${path} was committed or discarded before`);
      try {
        // Somebody may have made a folder of that name during the work.
        await checkTarget(path, overwrite);
        await syncFolder(partial);
        await putInPlace(partial, path, join(parent, names.replaced));
      } catch (error) {
        throw explainWriteError(error, path);
      }
      done = true;
      await release();
    },
    async discard() {
      if (done) return;
      done = true;
      try {
        await rm(partial, { recursive: true, force: true });
        if (firstCreated !== undefined) await removeCreatedParents(parent, firstCreated);
      } catch (error) {
        throw explainWriteError(error, partial);
      } finally {
        await release();
      }
    },
  };
}
