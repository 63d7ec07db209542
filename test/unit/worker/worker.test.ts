import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ended, stepsOf, testRun, until } from './runFolder';

test('a worker grows what its request says, and its last event is done', async context => {
  const run = testRun(context);
  const child = run.start();
  assert.equal(await ended(child), 0);
  const events = run.events();
  assert.equal(events.at(-1)?.type, 'done');
  assert.equal(stepsOf(run), 3);
  assert.ok(existsSync(join(run.out, 'growth.json')));
  const told = JSON.parse(readFileSync(join(run.folder, 'process.json'), 'utf8')) as {
    pid: number;
  };
  assert.equal(told.pid, child.pid);
});

test('a request without a kind, as they once were, is a growth', async context => {
  const run = testRun(context);
  const request = JSON.parse(readFileSync(join(run.folder, 'request.json'), 'utf8')) as object;
  run.write('request.json', { ...request, kind: undefined });
  assert.equal(await ended(run.start()), 0);
  assert.ok(existsSync(join(run.out, 'growth.json')));
});

test('a worker tells its engine with the reason, and what it takes of the machine', async context => {
  const run = testRun(context);
  assert.equal(await ended(run.start()), 0);
  const events = run.events();
  const device = events.find(({ type }) => type === 'device');
  assert.ok(device?.type === 'device');
  assert.equal(device.reason, 'CPU, 1 thread, as asked for');
  const usage = run.newest().find(({ type }) => type === 'usage');
  assert.ok(usage?.type === 'usage' && usage.residentBytes > 1e6);
  assert.equal(usage.device, undefined);
});

test('a worker whose engine cannot run says so in the words of the editor', async context => {
  const run = testRun(context, { engine: 'tfjs' });
  assert.equal(await ended(run.start()), 1);
  const last = run.events().at(-1);
  assert.ok(last?.type === 'failed');
  assert.match(last.message, /TensorFlow\.js is not installed/);
  assert.match(last.remedy, /LiGO: Set Up GPU Engine.*set ligo\.engine to auto/);
});

test('a paused worker takes no steps and goes on when told', async context => {
  const run = testRun(context, { steps: 200 });
  const child = run.start();
  await until('steps are made', () => stepsOf(run) > 2);
  run.control('pause');
  await new Promise(resolve => setTimeout(resolve, 500));
  const before = stepsOf(run);
  await new Promise(resolve => setTimeout(resolve, 500));
  assert.equal(stepsOf(run), before);
  assert.ok(before < 200);
  run.control('run');
  await until('it goes on', () => stepsOf(run) > before);
  run.control('stopAndKeep');
  assert.equal(await ended(child), 0);
});

test('stop and keep ends learning and writes the checkpoint as it is', async context => {
  const run = testRun(context, { steps: 100_000 });
  const child = run.start();
  await until('steps are made', () => stepsOf(run) > 2);
  run.control('stopAndKeep');
  assert.equal(await ended(child), 0);
  const last = run.events().at(-1);
  assert.equal(last?.type, 'done');
  const steps = last.receipt?.steps ?? 0;
  assert.ok(steps > 2 && steps < 100_000, `${steps} steps`);
  assert.ok(existsSync(join(run.out, 'model.safetensors')));
});

test('a cancelled run writes nothing, keeps its state and resumes where it stopped', async context => {
  const run = testRun(context, { steps: 400 });
  const child = run.start();
  await until('steps are made', () => stepsOf(run) > 2);
  run.control('cancel');
  assert.equal(await ended(child), 1);
  const last = run.events().at(-1);
  assert.equal(last?.type, 'failed');
  assert.equal(last.interrupted, true);
  assert.doesNotMatch(last.remedy, /--/);
  assert.ok(!existsSync(run.out));
  const stopped = stepsOf(run);
  assert.ok(stopped < 400);
  const request = JSON.parse(readFileSync(join(run.folder, 'request.json'), 'utf8')) as object;
  run.write('request.json', { ...request, resume: true });
  run.control('run');
  assert.equal(await ended(run.start()), 0);
  const steps = run.events().flatMap(event => (event.type === 'step' ? [event.step] : []));
  assert.deepEqual(
    steps,
    Array.from({ length: 400 }, (_, index) => index + 1),
  );
});

test('cancelling while paused ends the run', async context => {
  const run = testRun(context, { steps: 100_000 });
  const child = run.start();
  run.control('pause');
  await until('the first step is made', () => stepsOf(run) > 0);
  run.control('cancel');
  assert.equal(await ended(child), 1);
  assert.equal(run.events().at(-1)?.type, 'failed');
});

test('a terminated worker saves its state and says so', async context => {
  const run = testRun(context, { steps: 100_000 });
  const child = run.start();
  await until('steps are made', () => stepsOf(run) > 2);
  child.kill('SIGTERM');
  assert.equal(await ended(child), 1);
  const [saved, last] = run.events().slice(-2);
  assert.equal(saved?.type, 'saved');
  assert.equal(last?.type, 'failed');
  assert.equal(last.interrupted, true);
});

test('nonsense in control.json changes nothing', async context => {
  const run = testRun(context);
  writeFileSync(join(run.folder, 'control.json'), '{"command":"explode"');
  assert.equal(await ended(run.start()), 0);
});

test('a worker that cannot do its work says why in its last event', async context => {
  const run = testRun(context, { checkpoint: '/nowhere/model' });
  assert.equal(await ended(run.start()), 1);
  const last = run.events().at(-1);
  assert.equal(last?.type, 'failed');
  assert.match(last.message, /\/nowhere\/model does not exist/);
});

const hostile: readonly (readonly [string, string, RegExp])[] = [
  ['no JSON', '{"version":', /cannot be used/],
  ['another version', JSON.stringify({ version: 2 }), /version/],
  ['an array', '[]', /no request/],
  ['null', 'null', /no request/],
];
for (const [what, content, message] of hostile) {
  test(`a request.json that holds ${what} is refused`, async context => {
    const run = testRun(context);
    writeFileSync(join(run.folder, 'request.json'), content);
    assert.equal(await ended(run.start()), 1);
    const last = run.events().at(-1);
    assert.equal(last?.type, 'failed');
    assert.match(last.message, message);
  });
}

const wrongFields: readonly (readonly [string, object, RegExp])[] = [
  ['sizes that are no numbers', { target: { layers: '4' } }, /target\.layers/],
  ['sizes beyond reason', { target: { layers: 1e9 } }, /target\.layers/],
  ['unknown sizes', { target: { width: 4 } }, /target/],
  ['a relative path', { out: 'out' }, /no absolute path/],
  ['an unknown method', { method: 'magic' }, /no method called magic/],
  ['an unknown engine', { engine: 'abacus' }, /engine/],
  ['steps that are no whole number', { steps: 1.5 }, /steps/],
  ['an id that climbs out of its folder', { id: '../../x' }, /id/],
];
for (const [what, changes, message] of wrongFields) {
  test(`a request with ${what} is refused before anything is written`, async context => {
    const run = testRun(context, changes);
    assert.equal(await ended(run.start()), 1);
    const last = run.events().at(-1);
    assert.equal(last?.type, 'failed');
    assert.match(last.message, message);
    assert.deepEqual(
      readdirSync(run.folder).filter(name => name.startsWith('out') || name.startsWith('.ligo')),
      [],
    );
  });
}
