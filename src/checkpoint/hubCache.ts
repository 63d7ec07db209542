import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { UserError } from '../errors';
import { explainReadError, isMissing, readSmall } from '../files';
import { isCommit } from '../protocol/hubReference';

/** The commit that a branch or tag stood for when it was last asked. @param folder of `models--owner--name` */
export async function readRef(folder: string, revision: string): Promise<string | undefined> {
  const text = (await readSmall(join(folder, 'refs', revision), 200))?.toString('latin1').trim();
  return text !== undefined && isCommit(text) ? text : undefined;
}

/** A model's folder in the Hugging Face cache, its folder of snapshots, or one of its refs. */
const parts = /^(?<folder>.*[\\/]models--[^\\/]+)(?:[\\/](?:snapshots|refs(?:[\\/](?<ref>.+))?))?$/;

/**
 * The snapshot that is meant by a path into the Hugging Face cache that names none: the one of the ref, of
 * `main`, or the only one. Undefined for every other path.
 * @param path absolute
 * @throws UserError where there is none, or several
 */
export async function snapshotMeant(path: string): Promise<string | undefined> {
  const { folder, ref } = parts.exec(path)?.groups ?? {};
  const snapshots = folder === undefined ? undefined : await namesIn(join(folder, 'snapshots'));
  if (folder === undefined || snapshots === undefined) return undefined;
  const commit = await readRef(folder, ref ?? 'main');
  if (commit !== undefined && snapshots.includes(commit)) return join(folder, 'snapshots', commit);
  if (ref !== undefined) {
    throw new UserError(
      `${path} names no snapshot that lies in ${folder}.`,
      'Download it again, or give the path of one of the folders in snapshots.',
    );
  }
  const [only, ...others] = snapshots;
  if (only === undefined) {
    throw new UserError(
      `${folder} holds no snapshot.`,
      'Download the model again, or give another checkpoint.',
    );
  }
  if (others.length === 0) return join(folder, 'snapshots', only);
  const shown = snapshots.slice(0, 8).join(', ') + (snapshots.length > 8 ? ', …' : '');
  throw new UserError(
    `${folder} holds several snapshots, and refs/main names none of them: ${shown}.`,
    `Give the path of the one you mean, such as ${join(folder, 'snapshots', only)}.`,
  );
}

/** The folders in a folder; undefined where there is no such folder. */
async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw explainReadError(error, folder);
  }
}
