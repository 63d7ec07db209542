import { copyFile, link, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { explainWriteError } from '../../checkpoint/outputFolder';
import {
  yardstick,
  type ComparisonRun,
  type FinishedRun,
  type KeptModel,
} from '../../protocol/comparison';
import type { CompareRequest } from './request';
import { summarizeMethods } from './report';
import type { RunKey, RunStore } from './runStore';
import { finalLoss } from '../../report/savings';
import { compareAnew } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { Note } from '../../errors';

type Asked = Pick<CompareRequest, 'keep' | 'seeds' | 'methods'>;

/**
 * Whose models may still be kept when some runs have ended, the winner's first. The winner is the first method of the report,
 * of several seeds the one with the lowest held-out loss: until all its seeds have ended, a method may win.
 */
export function keptRuns(
  { keep = 'none', seeds }: Pick<Asked, 'keep' | 'seeds'>,
  ended: readonly ComparisonRun[],
): readonly RunKey[] {
  const finished = ended.filter((run): run is FinishedRun => run.state === 'finished');
  if (keep === 'none') return [];
  if (keep === 'all') {
    const [winner] = keptRuns({ keep: 'winner', seeds }, ended);
    return finished
      .map(keyOf)
      .sort((a, b) => Number(isSame(b, winner!)) - Number(isSame(a, winner!)));
  }
  const hasEnded = (method: string): boolean =>
    seeds.every(seed => ended.some(run => run.method === method && run.seed === seed));
  // In the order of the report, which takes training from scratch for its measure.
  const ranked = summarizeMethods(ended)
    .filter(summary => summary.finished > 0)
    .map(({ method }) => method);
  const leader = hasEnded(yardstick) ? ranked.find(hasEnded) : undefined;
  return ranked
    .filter(method => leader === undefined || method === leader || !hasEnded(method))
    .map(method => keyOf(bestOf(finished.filter(run => run.method === method))));
}

const keyOf = ({ method, seed }: RunKey): RunKey => ({ method, seed });

const bestOf = (runs: readonly FinishedRun[]): FinishedRun =>
  runs.reduce((best, run) => (finalLoss(run) < finalLoss(best) ? run : best));

/** Models that lie on the disk at the same time, at most; those of runs that go on aside. */
export function modelsAtMost({ keep = 'none', seeds, methods }: Asked): number {
  if (keep === 'none') return 0;
  const compared = new Set([yardstick, ...methods]).size;
  if (keep === 'all') return compared * seeds.length;
  // The newest one is written before the one it beats goes.
  return seeds.length === 1 ? 2 : compared + 1;
}

/** Models that stay. */
export function modelsInTheEnd(asked: Asked): number {
  return asked.keep === 'winner' ? 1 : modelsAtMost(asked);
}

/** Removes the models of runs that ended and are not to be kept. */
export async function dropOthers(
  store: RunStore,
  request: Asked,
  ended: readonly ComparisonRun[],
): Promise<void> {
  const kept = keptRuns(request, ended);
  for (const run of ended) {
    if (!kept.some(key => isSame(key, run))) await store.removeModel(run);
  }
}

const isSame = (a: RunKey, b: RunKey): boolean => a.method === b.method && a.seed === b.seed;

/**
 * Puts the models that a comparison keeps into its output. Gives where they lie, and what to say of those
 * that are not there: a run that ended while nothing was to be kept has left none.
 */
export async function placeModels(
  store: RunStore,
  request: Asked,
  runs: readonly ComparisonRun[],
  directory: string,
): Promise<{ readonly models: readonly KeptModel[]; readonly notes: readonly Note[] }> {
  const models: KeptModel[] = [];
  const absent: string[] = [];
  for (const key of keptRuns(request, runs)) {
    const run = runs.find((each): each is FinishedRun => isSame(each, key))!;
    const from = await store.findModel(key);
    if (from === undefined) {
      absent.push(`${key.method} with seed ${key.seed}`);
      continue;
    }
    const folder = request.seeds.length === 1 ? key.method : `${key.method}-seed${key.seed}`;
    await takeOver(from, join(directory, folder));
    models.push({ ...key, folder, loss: finalLoss(run) });
  }
  const notes = absent.map(which => ({
    message: `The model of ${which} is not there: it was not kept when its run ended.`,
    remedy: advise`${compareAnew} to have it.`,
  }));
  return { models, notes };
}

/** Failures that say that a disk has no second name for a file. */
const withoutLinks = new Set(['EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Gives the files of a folder a second name in a new one, or copies them where the disk has none. */
async function takeOver(from: string, to: string): Promise<void> {
  try {
    await mkdir(to);
    for (const entry of await readdir(from, { withFileTypes: true })) {
      const [source, copy] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) await takeOver(source, copy);
      else {
        await link(source, copy).catch((error: unknown) => {
          if (!withoutLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
          return copyFile(source, copy);
        });
      }
    }
  } catch (error) {
    throw explainWriteError(error, to);
  }
}

/** Whether the model of a run is to be written when it ends. */
export const keepsModels = ({ keep = 'none' }: Pick<Asked, 'keep'>): boolean => keep !== 'none';
