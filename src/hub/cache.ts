import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { companionNames } from '../checkpoint/companionNames';
import { MAX_INDEX_BYTES } from '../checkpoint/shardIndex';
import { readRef } from '../checkpoint/hubCache';
import { explainWriteError } from '../checkpoint/writeErrors';
import { UserError } from '../errors';
import { isMissing, readOwnText } from '../files';
import { isCommit } from '../protocol/hubReference';
import { neededWeights, type ModelFolder } from './needed';

/**
 * A model in the cache that all tools of Hugging Face share: `blobs/` by hash, `snapshots/<commit>/` of
 * links to them, `refs/` of branches and tags.
 */
export interface CachedModel {
  /** The `models--owner--name` folder. */
  readonly folder: string;
  /** Snapshots have copies in place of links. */
  readonly copies: boolean;
}

export const cachedModel = (
  { cache, copies }: { readonly cache: string; readonly copies: boolean },
  id: string,
): CachedModel => ({ folder: join(cache, ['models', ...id.split('/')].join('--')), copies });

export const snapshotOf = ({ folder }: CachedModel, commit: string): string =>
  join(folder, 'snapshots', commit);

export const blobOf = ({ folder }: CachedModel, hex: string): string => join(folder, 'blobs', hex);

/** Keeps which commit a branch or tag stands for. @throws UserError */
export async function writeRef(
  model: CachedModel,
  revision: string,
  commit: string,
): Promise<void> {
  if (isCommit(revision) || (await readRef(model.folder, revision)) === commit) return;
  const path = join(model.folder, 'refs', revision);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, commit);
    await rename(temporary, path);
  } catch (error) {
    throw explainWriteError(error, path);
  }
}

/** Whether a path leads to something. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Has a snapshot show a blob under a file's name; a system without links has a copy. @throws UserError */
export async function showBlob(model: CachedModel, blob: string, path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    if (model.copies || !(await link(blob, path, temporary))) await copyFile(blob, temporary);
    // In one step, also over a link whose blob is gone.
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainWriteError(error, path);
  }
}

/** Makes a link at a temporary path that is right at its own; false where the system has none. */
async function link(blob: string, path: string, temporary: string): Promise<boolean> {
  try {
    await symlink(relative(dirname(path), blob), temporary);
    return true;
  } catch (error) {
    // Windows without developer mode, and disks that know no links.
    if (
      ['EPERM', 'ENOTSUP', 'ENOSYS', 'UNKNOWN'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
    )
      return false;
    throw error;
  }
}

/** A snapshot as the folder of a model; undefined where there is none. */
export async function snapshotFolder(
  model: CachedModel,
  commit: string,
  subject: string,
): Promise<ModelFolder | undefined> {
  const snapshot = snapshotOf(model, commit);
  let entries: string[];
  try {
    entries = await readdir(snapshot);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  // A link whose blob was removed shows nothing.
  const there = await Promise.all(entries.map(name => isThere(join(snapshot, name))));
  return {
    subject,
    names: entries.filter((_, at) => there[at]).sort(),
    read: async name => (await readOwnText(snapshot, name, MAX_INDEX_BYTES)) ?? '',
  };
}

/** Files of which a model that reads text or images has one. */
const readers = companionNames.filter(name =>
  /^(tokenizer\.json|tokenizer\.model|vocab\..*|.*spiece\.model|.*bpe\.model|preprocessor_config\.json)$/.test(
    name,
  ),
);

/** How much of a model a snapshot holds: what is needed, its weights alone, or less than that. */
export async function heldBy(
  folder: ModelFolder | undefined,
  file: string | undefined,
): Promise<'all' | 'weights' | 'less'> {
  if (!folder) return 'less';
  let weights: readonly string[];
  try {
    weights = await neededWeights(folder, file);
  } catch (error) {
    if (error instanceof UserError) return 'less';
    throw error;
  }
  const hasAll =
    weights.every(name => name.endsWith('.gguf')) ||
    (folder.names.includes('config.json') && readers.some(name => folder.names.includes(name)));
  return hasAll ? 'all' : 'weights';
}
