import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/errors';
import { randomGenerator } from '../../src/random';
import { Draw } from './mutate';
import { selfCheck, targets } from './targets';
import { watch } from './watch';

/** Seconds of processor time that one input may take. */
const mostSeconds = 2;
/** Bytes that this process may ever hold. */
const mostBytes = 500e6;

const [name = '', seed = '0', from = '0', count = '1', save = ''] = process.argv.slice(2);

interface Told {
  /** The input that is read next; absent when all are done. */
  readonly at?: number;
  readonly failure?: { readonly index: number; readonly what: string };
  readonly done?: {
    readonly ours: number;
    readonly accepted: number;
    readonly bytes: number;
    /** Of processor time, of the input that took most. */
    readonly seconds: number;
  };
}
const tell = (told: Told): void => void process.send?.(told);

const folder = mkdtempSync(join(tmpdir(), 'ligo-fuzz-'));
try {
  await selfCheck();
  const readOne = await targets[name]!.prepare(folder);
  const watched = watch([folder, save]);
  let ours = 0;
  let accepted = 0;
  let longest = 0;
  for (let index = Number(from); index < Number(from) + Number(count); index++) {
    tell({ at: index });
    const fail = (what: string): void => {
      cpSync(folder, join(save, `${name}-${seed}-${index}`), { recursive: true, force: true });
      tell({ failure: { index, what } });
    };
    const before = process.cpuUsage();
    try {
      await readOne(new Draw(randomGenerator(Number(seed), index)));
      accepted++;
    } catch (error) {
      if (error instanceof UserError) ours++;
      else fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    const done = watched.seen();
    if (done !== undefined) fail(done);
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    longest = Math.max(longest, seconds);
    if (seconds > mostSeconds) fail(`it took ${seconds.toFixed(1)} s of processor time`);
  }
  const bytes = 1024 * process.resourceUsage().maxRSS;
  if (bytes > mostBytes) {
    tell({
      failure: { index: Number(from), what: `the process held ${Math.round(bytes / 1e6)} MB` },
    });
  }
  tell({ done: { ours, accepted, bytes, seconds: longest } });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
