import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { argumentsOf, shellLine } from '../../../src/cli/commandLine';
import { childRun } from '../../../src/cli/childRun';
import { describeReport } from '../../../src/cli/comparisonText';
import { exitCodes } from '../../../src/cli/failure';
import { runCommandLine } from '../../../src/cli/program';
import { UserError } from '../../../src/errors';
import type { ComparisonRun, FinishedRun } from '../../../src/protocol/comparison';
import { comparisonReport } from '../../../src/protocol/comparisonSchemas';
import type { RunEvent } from '../../../src/protocol/events';
import { summarizeMethods } from '../../../src/run/compare/report';
import { example } from '../../support/fixtures';
import { finishedRun } from '../run/compareRuns';
import { entries, failure, temporaryFolder } from '../run/support';
import { jsonLines, type Outcome } from './support';

/** The command line as this test was started: from its sources. */
const script = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const task = [
  ...['compare', example('gpt2-kjv'), '--layers', '4', '--data', example('kjv.txt')],
  ...['--batch', '2', '--sequence-length', '16', '--eval-batches', '1', '--steps', '4'],
  ...['--methods', 'stack', '--evaluate-every', '2', '--line-separator', 'newline'],
  ...['--engine', 'cpu', '--threads', '1'],
];

async function compare(
  args: readonly string[],
  controller = new AbortController(),
  onText?: (text: string) => void,
): Promise<Outcome> {
  const printed = { stdout: '', stderr: '' };
  const output = (which: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      printed[which] += text;
      onText?.(text);
    },
  });
  const code = await runCommandLine([...task, ...args], {
    stdout: output('stdout'),
    stderr: output('stderr'),
    signal: controller.signal,
    now: () => Date.UTC(2026, 0, 1),
    script,
  });
  return { code, ...printed };
}

const reportIn = (out: string) =>
  comparisonReport.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
/** Runs without the seconds they took. */
const timeless = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, each: unknown) => (key === 'seconds' ? 0 : each)));

describe('ligo compare', () => {
  it('makes runs in processes of their own as it makes them itself, and says how to repeat it', async () => {
    const folder = temporaryFolder();
    const [alone, beside] = [join(folder, 'alone'), join(folder, 'beside')];
    const first = await compare(['--out', alone]);
    assert.equal(first.code, exitCodes.done, first.stderr);
    assert.match(first.stdout, /stack +seed 0 finished \(2 of 2\)/);
    assert.match(first.stdout, /method +start +end +FLOPs saved +time saved/);
    // The winner's model is kept without word of it.
    const [winner] = reportIn(alone).models!;
    assert.ok(first.stdout.includes(`: ${join(alone, winner!.folder)}`), first.stdout);
    assert.ok(entries(join(alone, winner!.folder)).includes('model.safetensors'));

    const second = await compare(['--out', beside, '--parallel', '2', '--json']);
    assert.equal(second.code, exitCodes.done, second.stderr);
    const events = jsonLines(second.stdout);
    const points = events.filter(event => event.type === 'comparison' && event.method === 'stack');
    assert.equal(points.length, 3, 'the points of a run that another process made');
    const [own, gathered] = [reportIn(alone), reportIn(beside)];
    assert.deepEqual(timeless(gathered.runs), timeless(own.runs));
    assert.deepEqual(gathered.models, own.models);
    assert.deepEqual([own.machine.parallel, gathered.machine.parallel], [1, 2]);
    // In the order the options are declared in, not that they were given in.
    const words = (line: string): string[] => line.split(' ').sort();
    assert.deepEqual(words(own.command!), words(shellLine(['ligo', ...task, '--out', alone])));
    assert.deepEqual(entries(folder), ['alone', 'beside']);
  });

  it('makes one run alone, which a later comparison gathers', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const only = await compare(['--out', out, '--only', 'random:0']);
    assert.equal(only.code, exitCodes.done, only.stderr);
    // Its model may win, which only the gathering tells.
    assert.deepEqual(entries(join(folder, 'out.run')), ['random-0.json', 'random-0.model']);
    const { code, stdout, stderr } = await compare(['--out', out, '--resume', '--json']);
    assert.equal(code, exitCodes.done, stderr);
    const started = jsonLines(stdout).flatMap(event =>
      event.type === 'comparisonRun' && event.state === 'started' ? [event.method] : [],
    );
    assert.deepEqual(started, ['stack']);
    assert.deepEqual(entries(folder), ['out']);
  });

  it('stops its processes when it is stopped, and resumed each goes on where it stood', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const controller = new AbortController();
    const args = ['--out', out, '--parallel', '2', '--json', '--steps', '120'];
    const stopped = await compare(args, controller, text => {
      if (text.includes('"type":"comparison","method":"stack"')) controller.abort();
    });
    assert.equal(stopped.code, exitCodes.interrupted, stopped.stderr);
    assert.match(stopped.stderr, /Stopped before the first of 2 runs ended; .* is kept in/);
    assert.deepEqual(entries(folder), ['out.run']);

    const resumed = await compare([...args, '--resume']);
    assert.equal(resumed.code, exitCodes.done, resumed.stderr);
    // A run that is made again takes other seconds.
    const points = (text: string): readonly string[] =>
      jsonLines(text).flatMap(event =>
        event.type === 'comparison' ? [JSON.stringify({ ...event, time: 0 })] : [],
      );
    const again = new Set(points(resumed.stdout));
    const told = points(stopped.stdout);
    assert.ok(told.length > 0);
    assert.deepEqual(
      told.filter(point => !again.has(point)),
      [],
    );
    assert.deepEqual(entries(folder), ['out']);
  });

  for (const [args, says] of [
    [['--methods', 'magic'], /--methods is "magic"/],
    [['--seeds', '0,x'], /--seeds is "x", not a whole number/],
    [['--only', 'stack'], /--only is "stack", not a method and a seed/],
    [['--only', 'copy:0'], /copy:0 is no run of this comparison/],
    [['--small-batch', '4'], /--small-batch says nothing without --small-steps/],
    [['--seeds', '1,1'], /seed 1 is named twice/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await compare(['--out', '/nowhere/out', ...args]);
      assert.equal(code, exitCodes.usage, stderr);
      assert.match(stderr, says);
    });
  }
});

describe('the table of savings', () => {
  const made = (method: string, end: number, seed = 0): FinishedRun =>
    finishedRun(method, [[0, 9] as const, [40, end] as const], { seed });
  const failed: ComparisonRun = {
    ...{ state: 'failed', method: 'random', seed: 0 },
    ...{ message: 'It diverged.', remedy: 'Lower the rate.' },
  };
  /** What is said of a method besides its numbers. */
  const saidOf = (method: string, runs: readonly ComparisonRun[]): string => {
    const table = describeReport({ methods: summarizeMethods(runs), settings: { steps: 40 } });
    const line = table.split('\n').find(each => each.startsWith(method))!;
    return line.split(/ {2,}/).at(-1)!;
  };

  it('tells the saving of a method that reached what scratch ended with', () => {
    const runs = [made('random', 3), made('stack', 1)];
    assert.equal(saidOf('stack', runs), '25.0 %');
    assert.equal(saidOf('random', runs), '0.0 %');
  });

  it('tells which seeds reached it, where not all did', () => {
    const scratch = [made('random', 3), made('random', 3, 1)];
    const [good, bad] = [made('stack', 1), made('stack', 4)];
    assert.equal(saidOf('stack', [...scratch, bad, { ...bad, seed: 1 }]), 'never within 40 steps');
    const some = [...scratch, good, { ...bad, seed: 1 }];
    assert.equal(saidOf('stack', some), 'only 1 of 2 seeds within 40 steps');
  });

  it('tells why there is none: the method failed, or what it is measured against', () => {
    const runs = [failed, made('stack', 1)];
    assert.equal(saidOf('random', runs), 'failed: It diverged.');
    assert.match(saidOf('stack', runs), /^nothing to compare with: training from scratch/);
  });
});

describe('the arguments that call a command again', () => {
  const called = (...args: string[]): Command => {
    const command = new Command('do').argument('<what>').exitOverride();
    command.option('--list <items>', '', text => text.split(','));
    command.option('--count <n>', '', Number, 1).option('--fast').option('--name <name>');
    return command.parse(args, { from: 'user' });
  };

  it('are those that were given', () => {
    const command = called('it', '--list', 'a,b', '--fast', '--name=a b');
    assert.deepEqual(argumentsOf(command), [
      'do',
      'it',
      '--list',
      'a,b',
      '--fast',
      '--name',
      'a b',
    ]);
  });

  it('leave out, add and change what is asked for', () => {
    const command = called('it', '--fast', '--name', 'x');
    const changes = { fast: undefined, name: 'y', count: 2 };
    assert.deepEqual(argumentsOf(command, changes), ['do', 'it', '--count', '2', '--name', 'y']);
  });

  it('are quoted for a shell where they need it', () => {
    assert.equal(shellLine(['a/b.c', '--x=1', 'a b', "it's"]), `a/b.c --x=1 'a b' 'it'\\''s'`);
  });
});

describe('a command in a process of its own', () => {
  it('hands on why it failed', async () => {
    const events: RunEvent[] = [];
    const job = childRun({
      script,
      args: ['inspect', '/nowhere/at/all', '--json'],
      emit: event => events.push(event),
      signal: new AbortController().signal,
    });
    await failure(job, UserError, /nowhere\/at\/all/);
    assert.deepEqual(events, []);
  });
});
