import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { explainWriteError } from '../../checkpoint/outputFolder';
import { CorruptFileError, UserError } from '../../errors';
import type { ComparisonRun } from '../../protocol/comparison';
import { comparisonRun } from '../../protocol/comparisonSchemas';
import { runStateFolder } from '../runState';

/** Which run of a comparison: the smallest part that is done in one go. */
export interface RunKey {
  readonly method: string;
  readonly seed: number;
}

/** Runs of a comparison that ended, one file each, in a folder beside the output. */
export interface RunStore {
  readonly folder: string;
  /** The run, if it ended. Throws UserError when it belongs to a comparison with other settings. */
  read(key: RunKey): Promise<ComparisonRun | undefined>;
  /** Keeps a run whole or not at all; `fingerprint` is of all that decides it. */
  write(run: ComparisonRun): Promise<void>;
  /** How many runs there are, of whatever comparison. */
  count(): Promise<number>;
  /** Forgets all runs. What is saved of a training that failed stays. */
  clear(): Promise<void>;
}

const stored = z.object({ version: z.literal(1), fingerprint: z.string(), run: comparisonRun });

/** The runs beside an output. `fingerprintOf` tells what decides the result of each. */
export function openRunStore(out: string, fingerprintOf: (key: RunKey) => string): RunStore {
  const folder = runStateFolder(out);
  const pathOf = ({ method, seed }: RunKey): string => join(folder, `${method}-${seed}.json`);
  const names = async (): Promise<string[]> => (await orUndefined(readdir(folder))) ?? [];
  return {
    folder,
    async read(key) {
      const path = pathOf(key);
      const text = await orUndefined(readFile(path, 'utf8'));
      if (text === undefined) return undefined;
      const { fingerprint, run } = parse(path, text);
      if (fingerprint === fingerprintOf(key)) return run;
      throw new UserError(
        `${path} belongs to a comparison with other settings, data or checkpoint.`,
        'Resume with the options of the stopped comparison, or start anew with --overwrite.',
      );
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
    },
    count: async () => (await names()).filter(name => name.endsWith('.json')).length,
    async clear() {
      for (const name of await names()) {
        if (/\.json(\.new)?$/.test(name)) await rm(join(folder, name), { force: true });
      }
      await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
      });
    },
  };
}

function parse(path: string, text: string): z.infer<typeof stored> {
  try {
    return stored.parse(JSON.parse(text));
  } catch (error) {
    throw new CorruptFileError(`${path} is damaged.`, 'Delete it; the run is then made again.', {
      cause: error,
    });
  }
}

/** What a reading gives, or undefined where there is nothing to read. */
async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
