import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skip, startHarness, themes, type Harness } from './harness/browser';
import { summaryAt } from './harness/recorded';

const options = { type: 'options', options: { strings: {}, colorMap: 'RdBu' } };
const day = 86_400_000;
const past = [
  summaryAt(20, { id: 'old-1', status: 'done', created: Date.UTC(2026, 10, 22) }),
  summaryAt(9, {
    id: 'old-2',
    title: 'gpt2-kjv → 4 layers × 96, with a title that is longer than the sidebar',
    status: 'failed',
    created: Date.UTC(2026, 10, 22) - day,
    failure: {
      message: 'The worker was killed while it learned.',
      remedy: 'The system ran out of memory: take a smaller batch, or close other programs.',
    },
  }),
  summaryAt(3, { id: 'old-3', status: 'cancelled', created: Date.UTC(2026, 10, 21) - day }),
];
const waiting = summaryAt(0, {
  id: 'next',
  title: 'vit-fmnist → 6 layers × 96',
  status: 'queued',
  phase: 'waiting for bert-base → 14 layers × 896 in another window (books)',
  loss: undefined,
});
const elsewhere = [{ id: 'other', title: 'bert-base → 14 layers × 896', window: 'books' }];

describe('the progress view', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const theme of themes) {
    it(`is clean in ${theme}, 300 pixels wide, with every kind of run`, async () => {
      const view = await harness.open('progress', { theme, width: 300, height: 860 });
      assert.deepEqual(await view.posted(), [{ type: 'ready' }]);
      await view.send(options);
      await view.send({ type: 'runs', runs: [summaryAt(12), waiting, ...past], elsewhere });
      await view.screenshot(`progress-${theme}`);
      await view.assertClean();
    });
  }

  it('offers to grow a model when there is nothing', async () => {
    const view = await harness.open('progress', { width: 300, height: 400 });
    await view.send(options);
    await view.send({ type: 'runs', runs: [], elsewhere: [] });
    await view.screenshot('progress-empty');
    await view.assertClean();
    await view.page.getByRole('button', { name: 'Grow Model…' }).click();
    assert.deepEqual((await view.posted()).at(-1), { type: 'grow' });
  });

  it('says what a run waits for, and shows the runs of other windows while there are some', async () => {
    const view = await harness.open('progress', { width: 300, height: 500 });
    await view.send(options);
    await view.send({ type: 'runs', runs: [waiting], elsewhere });
    await view.page.getByText(waiting.phase).waitFor();
    const others = view.page.getByRole('heading', { name: 'In other windows' });
    await others.waitFor();
    await view.page.getByText('books', { exact: true }).waitFor();
    await view.screenshot('progress-elsewhere');
    await view.assertClean();
    await view.send({ type: 'runs', runs: [waiting], elsewhere: [] });
    await others.waitFor({ state: 'hidden' });
  });

  it('shows memory and load of the device on one line, and why the engine was chosen', async () => {
    const view = await harness.open('progress', { width: 300, height: 500 });
    await view.send(options);
    const device = { usedBytes: 3 * 2 ** 30, totalBytes: 12 * 2 ** 30, utilization: 0.87 };
    const usage = { residentBytes: 412 * 2 ** 20, device };
    const reason = 'WebGPU on NVIDIA GeForce RTX 4070, 12 GB; CUDA not installed';
    await view.send({ type: 'runs', runs: [summaryAt(12, { usage, reason })], elsewhere: [] });
    const line = await view.page.getByText('3.22 GB of 12.9 GB, 87% busy').boundingBox();
    assert.ok(line && line.height < 30, `one line, ${line?.height} pixels high`);
    await view.page.getByText(reason).waitFor();
    await view.screenshot('progress-device');
    await view.assertClean();
  });

  it('tells how far a run is by a bar, and no value while nobody knows', async () => {
    const view = await harness.open('progress', { width: 300, height: 500 });
    await view.send(options);
    const bar = view.page.getByRole('progressbar', { name: 'Progress' });
    const told = (): Promise<(string | null)[]> =>
      Promise.all(['min', 'now', 'max'].map(name => bar.getAttribute(`aria-value${name}`)));
    await view.send({ type: 'runs', runs: [summaryAt(0, { steps: 0 })], elsewhere: [] });
    assert.deepEqual(await told(), ['0', null, null]);
    await view.assertClean();
    await view.send({ type: 'runs', runs: [summaryAt(12)], elsewhere: [] });
    assert.deepEqual(await told(), ['0', '12', '20']);
    const share = `document.querySelector('.bar-fill').style.getPropertyValue('--share')`;
    assert.equal(await view.ask(share), '60%');
    await view.send({ type: 'runs', runs: [summaryAt(0, { steps: 0 })], elsewhere: [] });
    assert.deepEqual(await told(), ['0', null, null]);
  });

  it('asks once before it cancels, by keyboard alone', async () => {
    const view = await harness.open('progress', { width: 300, height: 500 });
    await view.send(options);
    await view.send({ type: 'runs', runs: [summaryAt(12)], elsewhere: [] });
    await view.page.getByRole('button', { name: 'Cancel', exact: true }).focus();
    await view.page.keyboard.press('Enter');
    await view.screenshot('progress-cancel');
    assert.equal((await view.posted()).length, 1, 'nothing is cancelled yet');
    await view.page.getByRole('button', { name: 'Cancel run' }).focus();
    await view.page.keyboard.press('Enter');
    const expected = { type: 'control', run: 'run-1', command: 'cancel' };
    assert.deepEqual((await view.posted()).at(-1), expected);
    await view.assertClean();
  });

  it('pauses, resumes, keeps focus while numbers change, and remembers over a reload', async () => {
    const view = await harness.open('progress', { width: 300, height: 500 });
    await view.send(options);
    await view.send({ type: 'runs', runs: [summaryAt(12)], elsewhere: [] });
    await view.page.getByRole('button', { name: 'Pause' }).click();
    assert.equal((await view.posted()).at(-1)?.['command'], 'pause');
    await view.send({ type: 'runs', runs: [summaryAt(13, { status: 'paused' })], elsewhere: [] });
    await view.page.getByRole('button', { name: 'Resume' }).focus();
    await view.send({ type: 'runs', runs: [summaryAt(14, { status: 'paused' })], elsewhere: [] });
    await view.page.keyboard.press('Enter');
    assert.equal((await view.posted()).at(-1)?.['command'], 'run');
    await view.page.reload();
    await view.page.getByText('step 14 of 20').waitFor();
    await view.assertClean();
  });
});
