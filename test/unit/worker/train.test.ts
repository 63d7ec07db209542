import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { logBudget, type TrainingRequest } from '../../../src/protocol/runFolder';
import type { TrainingReceipt } from '../../../src/run/write/trainingReceipt';
import { ended, runFor, stepsOf, trainingFor, until, type TestRun } from './runFolder';

const training = (context: TestContext, changes: Partial<TrainingRequest> = {}): TestRun =>
  runFor(context, out => trainingFor(out, changes));

const receiptOf = (run: TestRun): TrainingReceipt =>
  JSON.parse(readFileSync(join(run.out, 'training.json'), 'utf8')) as TrainingReceipt;

const weightsOf = (run: TestRun): Buffer => readFileSync(join(run.out, 'model.safetensors'));

/** So many steps that nobody waits for their end. */
const endless = { steps: 100_000, evaluateEvery: 50_000 };

test('a worker trains what its request says, and its last event has the receipt', async context => {
  const options = { learningRate: 2e-3, schedule: 'linear', warmup: 1, weightDecay: 0 } as const;
  const run = training(context, options);
  assert.equal(await ended(run.start()), 0);
  const last = run.events().at(-1);
  assert.ok(last?.type === 'done' && last.training);
  const { curve, ...receipt } = receiptOf(run);
  assert.deepEqual(last.training, receipt);
  assert.deepEqual(
    curve?.map(({ step }) => step),
    [0, 2, 4],
  );
  const { learningRate, schedule, warmup, weightDecay, steps } = receipt.settings;
  assert.deepEqual({ learningRate, schedule, warmup, weightDecay }, options);
  assert.deepEqual([steps, receipt.steps], [4, 4]);
});

test('a training tells its losses, held-out losses and learning rates', async context => {
  const run = training(context);
  assert.equal(await ended(run.start()), 0);
  const events = run.events();
  const evaluated = events.flatMap(event =>
    event.type === 'evaluation' ? [`${event.model} ${event.step}`] : [],
  );
  assert.deepEqual(evaluated, ['before 0', 'training 2', 'training 4', 'after 4']);
  const rates = events.flatMap(event => (event.type === 'step' ? [event.learningRate] : []));
  assert.equal(rates.length, 4);
  for (const { matrices, vectors } of rates) assert.equal(matrices, vectors);
  // By half a cosine.
  assert.ok(rates.every(({ matrices }, at) => at === 0 || matrices! < rates[at - 1]!.matrices!));
});

test('stop and keep ends a training and writes the model as it is', async context => {
  const run = training(context, endless);
  const child = run.start();
  await until('steps are made', () => stepsOf(run) > 2);
  run.control('stopAndKeep');
  assert.equal(await ended(child), 0);
  const last = run.events().at(-1);
  assert.ok(last?.type === 'done' && last.training);
  const { steps } = last.training;
  assert.ok(steps > 2 && steps < endless.steps, `${steps} steps`);
  assert.ok(existsSync(join(run.out, 'model.safetensors')));
});

test('a training that is stopped and resumed writes the bytes of one that was not', async context => {
  const steps = { steps: 60, evaluateEvery: 30 };
  const whole = training(context, steps);
  assert.equal(await ended(whole.start()), 0);

  const run = training(context, steps);
  const child = run.start();
  await until('steps are made', () => stepsOf(run) > 2);
  run.control('cancel');
  assert.equal(await ended(child), 1);
  const last = run.events().at(-1);
  assert.ok(last?.type === 'failed');
  assert.equal(last.interrupted, true);
  assert.doesNotMatch(last.remedy, /--/);
  assert.ok(!existsSync(run.out));
  run.write('request.json', { ...trainingFor(run.out, steps), resume: true });
  run.control('run');
  assert.equal(await ended(run.start()), 0);
  assert.deepEqual(weightsOf(run), weightsOf(whole));
  assert.equal(receiptOf(run).resumedAfter?.length, 1);
});

test('a killed training goes on from the last state that it saved', async context => {
  const steps = { steps: 400, evaluateEvery: 400 };
  const run = training(context, steps);
  const child = run.start();
  await until('it has saved', () => run.events().some(({ type }) => type === 'saved'));
  child.kill('SIGKILL');
  await ended(child);
  const saved = run.events().findLast(event => event.type === 'saved');
  run.write('request.json', { ...trainingFor(run.out, steps), resume: true });
  const told = run.events().length;
  assert.equal(await ended(run.start()), 0);
  const again = run.events().slice(told);
  const first = again.find(event => event.type === 'step');
  assert.equal(first?.step, saved!.step + 1);
  assert.deepEqual(receiptOf(run).resumedAfter, [saved!.step]);
});

test('held-out losses of a long training take no more of the log than they may', async context => {
  const steps = { steps: 2500, evaluateEvery: 1 };
  const run = training(context, {
    ...steps,
    data: { ...trainingFor('').data, batchSize: 1, sequenceLength: 4 },
  });
  run.start();
  await until('it evaluated often', () => stepsOf(run) > 210);
  run.control('cancel');
  const heldOut = run
    .events()
    .flatMap(event => (event.type === 'evaluation' && event.model === 'training' ? [event] : []));
  // At this pace all of them would take more than there is room for.
  const [first] = heldOut;
  const each = JSON.stringify(first).length;
  assert.ok(each * steps.steps > logBudget.heldOut);
  const spaces = heldOut.slice(1).map(({ step }, at) => step - heldOut[at]!.step);
  assert.ok(spaces.every(space => space > 1));
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ['no data', { data: undefined }, /data/],
  ['a rate of nothing', { learningRate: 0 }, /learningRate/],
  ['another schedule', { schedule: 'stairs' }, /schedule/],
  ['a share of all', { tokenDrop: 1 }, /tokenDrop/],
  ['half a sub-network', { subNetworkLayers: 1 }, /how large a sub-network is/],
  ['data by a relative path', { data: { path: 'kjv.txt' } }, /no absolute path/],
];
for (const [what, changes, message] of wrong) {
  test(`a training with ${what} is refused before anything is written`, async context => {
    const run = training(context, changes as Partial<TrainingRequest>);
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
