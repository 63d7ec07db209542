import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RunCurves, RunDetail } from '../../src/protocol/messages';
import { skip, startHarness, themes, type Harness } from './harness/browser';
import { runAt, summaryAt } from './harness/recorded';

const options = { type: 'options', options: { strings: {}, colorMap: 'RdBu' } };
const losses = runAt(20).curve.losses;
const steps = losses.map((_, index) => index + 1);
const evaluation = (model: string, step: number, loss: number) => ({
  ...{ model, step, loss, accuracy: 0.3, perplexity: Math.exp(loss), batches: 8 },
});

/** A training as its panel is told of it, after so many of 20 steps. */
function trainingAt(step: number): RunDetail {
  const done = step >= 20;
  const receipt = runAt(20).receipt!;
  const { source, data, engine } = receipt;
  return {
    ...runAt(step),
    summary: summaryAt(step, {
      ...{ kind: 'train', title: 'Train bert-kjv', phase: 'training' },
      ...(done && { status: 'done', secondsLeft: undefined, heldOutLoss: 3.1 }),
    }),
    plan: undefined,
    snapshots: [],
    receipt: undefined,
    curve: {
      steps: steps.slice(0, step),
      losses: losses.slice(0, step),
      rates: steps.slice(0, step).map(at => 1e-3 * (1 - at / 21)),
    },
    evaluations: [0, 5, 10, 15, 20]
      .filter(at => at <= step)
      .map(at => evaluation(at === 0 ? 'before' : 'training', at, 4 - at / 25)),
    training: done
      ? {
          ...{ software: receipt.software, created: receipt.created, seed: 0, steps: 20 },
          source: { path: source.path, sha256: source.sha256, companions: [] },
          settings: { learningRate: 1e-3, schedule: 'cosine', warmup: 2, weightDecay: 0.01 },
          ...{ objective: 'masked language modeling', fromScratch: false },
          data: data!,
          engine: engine!,
          before: evaluation('before', 0, 4),
          after: evaluation('after', 20, 3.1),
          flops: { perStep: 1e9, total: 2e10 },
          ...{ seconds: 42, warnings: [] },
        }
      : undefined,
  };
}

describe('the panel of a training', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const theme of themes) {
    it(`is clean in ${theme}, running and done`, async () => {
      const view = await harness.open('run', { theme });
      await view.send(options);
      await view.send({ type: 'run', run: trainingAt(12) });
      await view.screenshot(`training-running-${theme}`);
      await view.assertClean();
      await view.send({ type: 'run', run: trainingAt(20) });
      await view.screenshot(`training-done-${theme}`);
      await view.assertClean();
    });
  }

  it('tells what came of it, has no operators, and goes on from its buttons', async () => {
    const view = await harness.open('run');
    await view.send(options);
    await view.send({ type: 'run', run: trainingAt(20) });
    const outcome = await view.page.locator('.outcome').textContent();
    assert.equal(outcome, 'Trained for 20 steps. Held-out loss fell from 4.000 to 3.100.');
    assert.equal(await view.page.locator('canvas.thumbnail').count(), 0);
    await view.page.getByText('Train On…').click();
    const posted = await view.posted();
    assert.deepEqual(posted.at(-1), { type: 'next', step: 'train' });
    await view.page.getByText('Continue in PyTorch…').click();
    assert.deepEqual((await view.posted()).at(-1), { type: 'next', step: 'handoff' });
  });

  it('is read by arrow keys: batch loss, held-out loss and learning rate', async () => {
    const view = await harness.open('run');
    await view.send(options);
    await view.send({ type: 'run', run: trainingAt(20) });
    const stage = view.page.locator('.chart-stage');
    await stage.locator('canvas').waitFor();
    await stage.press('Home');
    assert.equal(await view.announced(), 'step 0 · held-out loss 4.000|');
    for (let press = 0; press < 5; press++) await stage.press('ArrowRight');
    assert.match(
      await view.announced(),
      /^step 5 · batch loss \d\.\d{3} · held-out loss 3\.800 · learning rate 0\.000762\|$/,
    );
    const table = await view.page.locator('.visually-hidden table').first().textContent();
    assert.match(table!, /Batch loss.*Held-out loss.*Learning rate/s);
  });
});

/** Two runs, one of which goes on. */
const several: readonly RunCurves[] = [
  {
    ...{ id: 'a', title: 'Train bert-kjv', status: 'done', created: Date.UTC(2026, 10, 30) },
    curve: { steps, losses },
    heldOut: { steps: [0, 10, 20], losses: [4, 3.6, 3.1] },
  },
  {
    ...{ id: 'b', title: 'Train bert-kjv-grown-6x96', status: 'running' },
    created: Date.UTC(2026, 11, 1),
    curve: { steps: steps.slice(0, 12), losses: losses.slice(0, 12).map(loss => loss - 0.3) },
    heldOut: { steps: [0, 10], losses: [3.7, 3.2] },
  },
];

describe('the curves of several runs', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const theme of themes) {
    it(`are clean in ${theme}`, async () => {
      const view = await harness.open('curves', { theme });
      await view.send(options);
      await view.send({ type: 'curves', runs: several });
      await view.page.locator('.chart-stage canvas').waitFor();
      await view.screenshot(`curves-${theme}`);
      await view.assertClean();
    });
  }

  it('are remembered by their ids, by which a reloaded window brings them back', async () => {
    const view = await harness.open('curves');
    await view.send(options);
    await view.send({ type: 'curves', runs: several });
    const kept = await view.ask<string>("sessionStorage.getItem('state ' + location.pathname)");
    assert.deepEqual((JSON.parse(kept) as { runs?: unknown }).runs, ['a', 'b']);
  });

  it('are read by arrow keys, hidden by their legend, and stand in a table', async () => {
    const view = await harness.open('curves');
    await view.send(options);
    await view.send({ type: 'curves', runs: several });
    const stage = view.page.locator('.chart-stage');
    await stage.locator('canvas').waitFor();
    await stage.press('ArrowRight');
    assert.equal(await view.announced(), 'Train bert-kjv · step 10 · held-out loss 3.600');
    await stage.press('ArrowDown');
    assert.equal(
      await view.announced(),
      'Train bert-kjv-grown-6x96 · step 10 · held-out loss 3.200',
    );
    const points = (): Promise<string | null> =>
      view.page.locator('.visually-hidden table').textContent();
    assert.match((await points())!, /Train bert-kjv20?3\.100/);
    const legend = view.page.locator('.legend-button').first();
    await legend.click();
    assert.equal(await legend.getAttribute('aria-pressed'), 'false');
    assert.doesNotMatch((await points())!, /3\.100/);
  });
});
