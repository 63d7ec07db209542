import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { explainWriteError, restoreSetAside } from '../../checkpoint/outputFolder';
import { CorruptFileError, UserError } from '../../errors';
import { ifThere, readOwnText } from '../../files';
import type { ComparisonRun } from '../../protocol/comparison';
import { comparisonRun } from '../../protocol/comparisonSchemas';
import { readRunState, removeRunState, runStateFolder, type RunState } from '../stop/runState';
import { compareAnew } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Bytes of a run's file at most: its curves have a few hundred a point. */
const largestRun = 64 * 1024 * 1024;

/** Which run of a comparison: the smallest part that is told of. */
export interface RunKey {
  readonly method: string;
  readonly seed: number;
}

/** What a run does before it has ended, each with a state of its own. */
export type RunPhase = 'growth' | 'training';

/** Runs of a comparison in a folder beside the output: a file for each that ended, a state before. */
export interface RunStore {
  readonly folder: string;
  /** Of all that decides a run. */
  fingerprintOf(key: RunKey): string;
  /** The run, if it ended. Throws UserError when it belongs to a comparison with other settings. */
  read(key: RunKey): Promise<ComparisonRun | undefined>;
  /** Keeps a run whole or not at all, in place of its states. */
  write(run: ComparisonRun): Promise<void>;
  /** Output path that the state of a phase is kept beside, as of any other run. */
  stateOut(key: RunKey, phase: RunPhase): string;
  /**
   * How far a phase has come, if it was saved. Throws CorruptFileError when that is damaged, and
   * UserError when it belongs to a comparison with other settings.
   */
  readState(key: RunKey, phase: RunPhase): Promise<RunState | undefined>;
  removeStates(key: RunKey): Promise<void>;
  /** Where the trained model of a run is written, until the comparison ends. */
  modelFolder(key: RunKey): string;
  /** The folder of a model, if the run has left one. */
  findModel(key: RunKey): Promise<string | undefined>;
  removeModel(key: RunKey): Promise<void>;
  /** How many runs there are, of whatever comparison. */
  count(): Promise<{ readonly ended: number; readonly halfMade: number }>;
  /** Forgets all runs and states. */
  clear(): Promise<void>;
}

const stored = z.object({ version: z.literal(1), fingerprint: z.string(), run: comparisonRun });
/** Names of what is kept, and of what a killed process left of its writing. */
const ended = /^[a-z0-9-]+-\d+\.json$/;
const halfMade = /^[a-z0-9-]+-\d+(\.growth)?\.run$/;
const leftOver = /^\.ligo-.*\.(partial|replaced)$|^[a-z0-9-]+-\d+\.json\.new$/;
const kept = /^[a-z0-9-]+-\d+\.model(\.old)?$/;

/** The runs beside an output. `fingerprintOf` tells what decides the result of each. */
export function openRunStore(out: string, fingerprintOf: (key: RunKey) => string): RunStore {
  const folder = runStateFolder(out);
  const nameOf = ({ method, seed }: RunKey): string => `${method}-${seed}`;
  const pathOf = (key: RunKey): string => join(folder, `${nameOf(key)}.json`);
  const names = async (): Promise<string[]> => (await ifThere(readdir(folder))) ?? [];
  const requireOwn = (path: string, key: RunKey, fingerprint: string): void => {
    if (fingerprint === fingerprintOf(key)) return;
    throw new UserError(
      `${path} belongs to a comparison with other settings, data or checkpoint.`,
      advise`Resume with the options of the stopped comparison, or ${compareAnew}.`,
    );
  };
  const stateOut = (key: RunKey, phase: RunPhase): string =>
    join(folder, phase === 'growth' ? `${nameOf(key)}.growth` : nameOf(key));
  const modelFolder = (key: RunKey): string => join(folder, `${nameOf(key)}.model`);
  const removeStates = async (key: RunKey): Promise<void> => {
    await removeRunState(stateOut(key, 'growth'));
    await removeRunState(stateOut(key, 'training'));
  };
  return {
    folder,
    fingerprintOf,
    stateOut,
    removeStates,
    modelFolder,
    async findModel(key) {
      const path = modelFolder(key);
      await restoreSetAside(path);
      return (await ifThere(stat(path))) ? path : undefined;
    },
    async removeModel(key) {
      const path = modelFolder(key);
      // Under another name first: half of a model must not be taken for one.
      await ifThere(rename(path, `${path}.old`));
      await rm(`${path}.old`, { recursive: true, force: true });
    },
    async read(key) {
      const path = pathOf(key);
      const text = await readOwnText(folder, `${nameOf(key)}.json`, largestRun);
      if (text === undefined) return undefined;
      const { fingerprint, run } = parse(path, text);
      requireOwn(path, key, fingerprint);
      return run;
    },
    async write(run) {
      const path = pathOf(run);
      const content = { version: 1, fingerprint: fingerprintOf(run), run };
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(`${path}.new`, `${JSON.stringify(content)}\n`, { flush: true });
        await rename(`${path}.new`, path);
      } catch (error) {
        throw explainWriteError(error, path);
      }
      await removeStates(run);
    },
    async readState(key, phase) {
      const out = stateOut(key, phase);
      const path = runStateFolder(out);
      await restoreSetAside(path);
      if (!(await ifThere(stat(path)))) return undefined;
      const state = await readRunState(out).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        throw damaged(path, error);
      });
      requireOwn(path, key, state.fingerprint);
      return state;
    },
    async count() {
      const all = await names();
      const half = all.filter(name => halfMade.test(name));
      const runs = new Set(half.map(name => name.replace(/(\.growth)?\.run$/, '')));
      return { ended: all.filter(name => ended.test(name)).length, halfMade: runs.size };
    },
    async clear() {
      const own = [ended, halfMade, leftOver, kept];
      for (const name of await names()) {
        if (!own.some(pattern => pattern.test(name))) continue;
        await rm(join(folder, name), { recursive: true, force: true });
      }
      await rmdir(folder).catch((error: unknown) => {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
      });
    },
  };
}

/** For what of a run cannot be read back. */
export const damaged = (path: string, cause: unknown): CorruptFileError =>
  new CorruptFileError(`${path} is damaged.`, 'Delete it; the run is then made again.', { cause });

function parse(path: string, text: string): z.infer<typeof stored> {
  try {
    return stored.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(path, error);
  }
}
