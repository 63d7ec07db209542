import { readdir, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { quoted } from '../../checkpoint/names';
import type { Note } from '../../errors';
import { counted } from '../../format';
import { isTrainingState, liesBeside, weightKinds } from '../../protocol/weightNames';

/** Names that are said one by one; further ones are counted. */
const MAX_NAMES = 8;

/**
 * What lies beside a checkpoint and is not converted: the state of its training, and in a folder that was
 * given as the checkpoint other weights, an EMA's say.
 * @param path as it was given
 */
export async function leftBehind(
  { directory, files }: Pick<Checkpoint, 'directory' | 'files'>,
  path: string,
): Promise<Note[]> {
  const read = new Set(files.map(file => basename(file)));
  const others = (await readdir(directory)).filter(name => !read.has(name)).sort();
  const ofTraining = others.filter(isTrainingState);
  const isFolder = (await realpath(path)) === (await realpath(directory));
  const weights = isFolder ? others.filter(name => !liesBeside(name) && endsAsWeights(name)) : [];
  return [
    ...(ofTraining.length === 0
      ? []
      : [
          {
            message: `What its training left beside the weights is not converted: ${listed(ofTraining)}.`,
            remedy:
              'To go on with that training, keep the checkpoint itself: what is written holds the model alone.',
          },
        ]),
    ...(weights.length === 0
      ? []
      : [
          {
            message: `Other weights in its folder are not converted: ${listed(weights)}.`,
            remedy: 'Give the path of a file instead of the folder to convert that one.',
          },
        ]),
  ];
}

/** Settings of models and indexes of shards hold no weights. */
const weightEnds = weightKinds.flat().filter(end => !end.endsWith('.json'));

const endsAsWeights = (name: string): boolean => weightEnds.some(end => name.endsWith(end));

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map(quoted).join(', ');
  const more = names.length - MAX_NAMES;
  return more > 0 ? `${shown} and ${counted(more, 'more file')}` : shown;
}
