import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { comparisonReport } from '../../../src/protocol/comparisonSchemas';
import type { RunEvent } from '../../../src/protocol/events';
import type { ComparisonRequest } from '../../../src/protocol/runFolder';
import { comparisonFor, ended, runFor, until, type TestRun } from './runFolder';

const comparison = (context: TestContext, changes: Partial<ComparisonRequest> = {}): TestRun =>
  runFor(context, out => comparisonFor(out, changes));

const runEvents = (run: TestRun) => run.events().filter(({ type }) => type === 'comparisonRun');
const points = (run: TestRun) => run.events().filter(({ type }) => type === 'comparison');

/** So many training steps that nobody waits for their end. */
const endless = { steps: 100_000, evaluateEvery: 5 };

test('a worker compares what its request says, and writes the report', async context => {
  const run = comparison(context);
  assert.equal(await ended(run.start()), 0);
  const last = run.events().at(-1);
  assert.ok(last?.type === 'done');
  const text = readFileSync(join(run.out, 'report.json'), 'utf8');
  const { methods, settings, models } = comparisonReport.parse(JSON.parse(text));
  // Without word of it, the winner's model is kept.
  assert.deepEqual(
    models?.map(({ folder }) => folder),
    [methods[0]!.method],
  );
  assert.deepEqual(last.models, models);
  assert.ok(existsSync(join(run.out, models![0]!.folder, 'model.safetensors')));
  assert.deepEqual(methods.map(({ method }) => method).sort(), ['random', 'stack']);
  assert.deepEqual([settings.steps, settings.evaluateEvery, settings.seeds], [4, 2, [0]]);
  assert.match(readFileSync(join(run.out, 'report.html'), 'utf8'), /^<!doctype html>/);
  const states = runEvents(run).map(event => event.type === 'comparisonRun' && event.state);
  assert.deepEqual(states, ['started', 'finished', 'started', 'finished']);
  // Before training, and after two and four steps, of either method.
  const steps = points(run).map(event => event.type === 'comparison' && event.step);
  assert.deepEqual(steps, [0, 2, 4, 0, 2, 4]);
});

test('a comparison without word of it evaluates twenty times, and learns for 10 steps', async context => {
  const { evaluateEvery, ...request } = comparisonFor('', { steps: 40, methods: ['ligo'] });
  assert.equal(evaluateEvery, 2);
  const run = runFor(context, out => ({ ...request, out }));
  run.start();
  await until('a training began', () => points(run).length > 2);
  const [, second] = points(run);
  assert.ok(second?.type === 'comparison');
  assert.deepEqual([second.method, second.step, second.steps], ['random', 2, 40]);
  let first: RunEvent | undefined;
  const growing = (): boolean => {
    first ??= run.newest().find(event => event.type === 'comparison' && event.phase === 'growth');
    return first !== undefined;
  };
  await until('operators are learned', growing);
  assert.ok(first?.type === 'comparison');
  assert.deepEqual([first.method, first.steps], ['ligo', 10]);
});

test('a paused comparison trains no step and goes on when told', async context => {
  const run = comparison(context, endless);
  run.start();
  await until('models are evaluated', () => points(run).length > 1);
  run.control('pause');
  let before = points(run).length;
  // One that trained on would never stand still for so long.
  await until('it stands still', async () => {
    const seen = points(run).length;
    await new Promise(resolve => setTimeout(resolve, 1500));
    before = points(run).length;
    return before === seen;
  });
  run.control('run');
  await until('it goes on', () => points(run).length > before);
});

for (const command of ['cancel', 'stopAndKeep'] as const) {
  test(`${command} ends a comparison without a report, and it resumes without the runs that ended`, async context => {
    // The first run must end and the second one be stopped in its midst.
    const run = comparison(context, { steps: 150, evaluateEvery: 5 });
    const child = run.start();
    const inSecond = (): boolean =>
      points(run).some(event => event.type === 'comparison' && event.method === 'stack');
    await until('the second run began', inSecond);
    run.control(command);
    assert.equal(await ended(child), 1);
    const last = run.events().at(-1);
    assert.ok(last?.type === 'failed');
    assert.equal(last.interrupted, true);
    assert.match(last.message, /after 1 of 2 runs/);
    assert.equal(last.remedy, 'Resume the run to go on.');
    assert.ok(!existsSync(run.out));

    const told = run.events().length;
    const request = JSON.parse(readFileSync(join(run.folder, 'request.json'), 'utf8')) as object;
    run.write('request.json', { ...request, resume: true });
    run.control('run');
    assert.equal(await ended(run.start()), 0);
    const later = run.events().slice(told);
    const started = later.flatMap(event =>
      event.type === 'comparisonRun' && event.state === 'started' ? [event.method] : [],
    );
    assert.deepEqual(started, ['stack']);
    assert.ok(existsSync(join(run.out, 'report.html')));
  });
}

test('a comparison that is cancelled in its first run goes on in the midst of it', async context => {
  const run = comparison(context, { steps: 400, evaluateEvery: 100, methods: ['random'] });
  const child = run.start();
  const trained = () => points(run).some(event => event.type === 'comparison' && event.step > 0);
  await until('it was evaluated on the way', trained);
  run.control('cancel');
  assert.equal(await ended(child), 1);
  const last = run.events().at(-1);
  assert.ok(last?.type === 'failed');
  assert.match(last.message, /before the first of 1 run ended; .* is kept in/);
  assert.equal(last.remedy, 'Resume the run to go on.');
  const before = points(run);

  const told = run.events().length;
  const request = JSON.parse(readFileSync(join(run.folder, 'request.json'), 'utf8')) as object;
  run.write('request.json', { ...request, resume: true });
  run.control('run');
  assert.equal(await ended(run.start()), 0);
  const again = run.events().slice(told);
  // What it had spent when it was evaluated is told as it was, to the second’s last digit.
  const spent = (events: readonly RunEvent[]) =>
    events.flatMap(event =>
      event.type === 'comparison' ? [{ step: event.step, seconds: event.seconds }] : [],
    );
  assert.deepEqual(spent(again).slice(0, before.length), spent(before));
  assert.equal(spent(again).at(-1)?.step, 400);
});

test('what speaks for caution is told in the words of the editor, not of the command line', async context => {
  const run = comparison(context);
  assert.equal(await ended(run.start()), 0);
  const warnings = run.events().flatMap(event => (event.type === 'warning' ? [event] : []));
  assert.ok(warnings.some(({ remedy }) => /Train longer, or grow a small model/.test(remedy)));
  assert.ok(warnings.every(({ remedy }) => !remedy.includes('--')));
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ['no methods', { methods: [] }, /methods/],
  ['an unknown method', { methods: ['magic'] }, /no method called magic/],
  ['no data', { data: undefined }, /data/],
  ['seeds that are no numbers', { seeds: ['0'] }, /seeds/],
  ['data by a relative path', { data: { path: 'kjv.txt' } }, /no absolute path/],
  ['another kind of work', { kind: 'shrink' }, /kind/],
];
for (const [what, changes, message] of wrong) {
  test(`a comparison with ${what} is refused before anything is written`, async context => {
    const run = comparison(context, changes as Partial<ComparisonRequest>);
    assert.equal(await ended(run.start()), 1);
    const last = run.events().at(-1);
    assert.ok(last?.type === 'failed');
    assert.match(last.message, message);
    assert.deepEqual(
      readdirSync(run.folder).filter(name => name.startsWith('out')),
      [],
    );
  });
}
