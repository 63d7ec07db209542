import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { restoreSetAside } from '../../../src/checkpoint/outputFolder';
import { example } from '../../support/fixtures';
import { outcomeOf, start } from './process';
import { entries, temporaryFolder } from '../run/support';

const killer = fileURLToPath(new URL('../../support/killAtOperation.mjs', import.meta.url));
/** Every operation instead of some: what `npm run test:kills` sets. */
const everyOne = process.env['LIGO_KILL_EVERYWHERE'] === '1';

const gpt2 = example('gpt2-kjv');
const target = ['--layers', '4'];
const data = ['--data', example('kjv.txt'), '--line-separator', 'newline'];
const batches = ['--batch', '2', '--sequence-length', '8', '--eval-batches', '1'];
const engine = ['--engine', 'cpu', '--threads', '1'];

/** A command that is killed on its way. */
interface Case {
  readonly args: readonly string[];
  /** It may leave a state to resume; else it begins anew after a kill. */
  readonly saves: boolean;
  /** Operations that are killed at unless all are. */
  readonly sample: number;
}

async function learnedOperators(): Promise<string> {
  const out = join(temporaryFolder(), 'out');
  const args = ['grow', gpt2, ...target, '--method', 'stack', '--out', out, ...engine];
  const { code, stderr } = await outcomeOf(start(args));
  assert.equal(code, 0, stderr);
  return join(out, 'operators.safetensors');
}

const cases: Readonly<Record<string, () => Promise<Case>>> = {
  apply: async () => ({
    args: ['apply', gpt2, ...target, '--operators', await learnedOperators(), ...engine],
    saves: false,
    sample: 4,
  }),
  grow: () =>
    Promise.resolve({
      args: [
        ...['grow', gpt2, ...target, '--steps', '3', '--save-every', '1'],
        ...[...data, ...batches, ...engine],
      ],
      saves: true,
      sample: 5,
    }),
  train: () =>
    Promise.resolve({
      args: [
        ...['train', gpt2, '--steps', '3', '--save-every', '1'],
        ...[...data, ...batches, ...engine],
      ],
      saves: true,
      sample: 4,
    }),
  convert: () => Promise.resolve({ args: ['convert', gpt2], saves: false, sample: 4 }),
  'convert --format gguf': () =>
    Promise.resolve({ args: ['convert', gpt2, '--format', 'gguf'], saves: false, sample: 4 }),
  compare: () =>
    Promise.resolve({
      args: [
        ...['compare', gpt2, ...target, '--methods', 'stack', '--steps', '2'],
        ...['--evaluate-every', '1', ...data, ...batches, ...engine],
      ],
      saves: true,
      sample: 4,
    }),
};

/** What a command wrote, without the files that tell when: weights and operators, or what was found. */
function result(out: string): Record<string, string> {
  const names = entries(out);
  if (names.includes('report.json')) {
    const { digest } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      digest: string;
    };
    const models = names.filter(name => !name.startsWith('report.'));
    const weights = models.map(name => JSON.stringify(result(join(out, name))));
    return { digest, names: names.join(), weights: weights.join() };
  }
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex');
  const timed = ['growth.json', 'training.json', 'conversion.json', 'README.md'];
  return Object.fromEntries(
    names.map(name => [name, timed.includes(name) ? 'there' : digest(name)]),
  );
}

const isSame = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

const run = (args: readonly string[], environment: Record<string, string> = {}) => {
  const child = start(args, ['--import', killer], { env: { ...process.env, ...environment } });
  return outcomeOf(child).then(outcome => ({ ...outcome, signal: child.signalCode }));
};

/** All operations, or as many as asked for: those that name or remove folders first, else evenly. */
function chosen(operations: readonly string[], sample: number): number[] {
  const all = operations.map((_, index) => index + 1);
  if (everyOne) return all;
  const naming = all.filter(at => ['rename', 'rm'].includes(operations[at - 1]!));
  const from = naming.length >= sample ? naming : all;
  const some = Array.from({ length: sample }, (_, index) => {
    return from[Math.round((index * (from.length - 1)) / (sample - 1))]!;
  });
  return [...new Set(some)];
}

for (const [name, open] of Object.entries(cases)) {
  describe(`ligo ${name} that is killed while it changes the disk`, () => {
    it('leaves the old or the new output, and the next start ends with the same bytes', async t => {
      const { args, saves, sample } = await open();
      const whole = temporaryFolder();
      const log = join(whole, 'operations');
      const old = join(whole, 'old');
      cpSync(gpt2, old, { recursive: true });
      const place = (): string => {
        const folder = temporaryFolder();
        cpSync(old, join(folder, 'out'), { recursive: true });
        return folder;
      };
      const made = place();
      const command = (folder: string) => [...args, '--out', join(folder, 'out'), '--overwrite'];
      const first = await run(command(made), { LIGO_KILL_LOG: log });
      assert.equal(first.code, 0, first.stderr);
      const expected = result(join(made, 'out'));
      const before = result(old);
      const operations = readFileSync(log, 'utf8').split('\n');
      const points = chosen(operations, sample);
      t.diagnostic(`${points.length} of ${operations.length} operations: ${points.join()}`);
      for (const at of points) {
        const folder = place();
        const out = join(folder, 'out');
        const where = `killed before operation ${at}, ${operations[at - 1]}`;
        const killed = await run(command(folder), { LIGO_KILL_AT: String(at) });
        assert.equal(killed.signal, 'SIGKILL', where);
        await restoreSetAside(out);
        const left = result(out);
        assert.ok(
          [before, expected].some(one => isSame(one, left)),
          `${where}: ${entries(folder).join()}`,
        );
        await restoreSetAside(`${out}.run`);
        const resume = saves && existsSync(`${out}.run`) ? ['--resume'] : [];
        const again = await run([...command(folder), ...resume]);
        assert.equal(again.code, 0, `${where}: ${again.stderr}`);
        assert.deepEqual(result(out), expected, where);
        assert.deepEqual(entries(folder), ['out'], where);
      }
    });
  });
}
