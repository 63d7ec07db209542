import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { UserError } from '../errors';
import { explainReadError } from '../files';
import { usualFiles } from '../protocol/weightNames';
import { noCheckpointIn } from './formats/recognise';
import { snapshotMeant } from './hubCache';
import { areOneSeries } from './shardSeries';
import { candidatesAmong } from './weightFiles';

/** Whether a path, links followed, leads to a file. @throws UserError when that cannot be told */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw explainReadError(error, path);
  }
}

/**
 * Finds the file that a path means: itself, or in a folder what transformers would take, else the only
 * file of weights there is, or the first of the only shards; in the Hugging Face cache that of the snapshot
 * that is meant. Returns an absolute path. @throws UserError
 */
export async function locateCheckpoint(path: string): Promise<string> {
  const absolute = resolve(path);
  const snapshot = await snapshotMeant(absolute);
  if (snapshot !== undefined) return locateInFolder(snapshot);
  let status;
  try {
    status = await stat(absolute);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new UserError(
        `${absolute} does not exist.`,
        'Give the path of a downloaded checkpoint: a folder with model.safetensors or pytorch_model.bin, or the file itself.',
        { cause: error },
      );
    }
    throw explainReadError(error, absolute);
  }
  if (status.isDirectory()) return locateInFolder(absolute);
  if (status.isFile()) return absolute;
  throw new UserError(`${absolute} is neither a file nor a folder.`, 'Give a checkpoint.');
}

async function locateInFolder(folder: string): Promise<string> {
  for (const name of usualFiles) {
    if (await isFile(join(folder, name))) return join(folder, name);
  }
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    throw explainReadError(error, folder);
  }
  const candidates = candidatesAmong(names);
  const [only, ...others] = candidates;
  if (only === undefined) throw noCheckpointIn(folder, names);
  if (others.length > 0 && !areOneSeries(candidates)) {
    const shown = candidates.slice(0, 8).join(', ') + (candidates.length > 8 ? ', …' : '');
    throw new UserError(
      `${folder} holds several checkpoints: ${shown}.`,
      'Give the path of the one you mean instead of the folder.',
    );
  }
  return join(folder, only);
}
