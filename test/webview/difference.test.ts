import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CheckpointDifference, TensorDifference } from '../../src/protocol/differences';
import { skip, startHarness, themes, type Harness, type TestedPage } from './harness/browser';
import { checkpoint, statistics } from './harness/recorded';

const options = { type: 'options', options: { strings: {}, colorMap: 'PuOr' } };
const names = {
  before: { name: 'bert-kjv', path: '/models/bert-kjv/model.safetensors' },
  after: { name: 'bert-kjv-tuned', path: '/models/bert-kjv-tuned/model.safetensors' },
};
const none = { before: 0, after: 0 };

/** Every change there is, over the tensors of the example. */
const tensors: readonly TensorDifference[] = checkpoint.tensors.map((row, index) => {
  const other = { ...row, shape: row.shape.map(axis => axis + 32) };
  if (index === 0) return { change: 'removed', before: row };
  if (index === 1) return { change: 'added', after: row };
  if (index === 2) return { change: 'reshaped', before: row, after: other };
  const distance = { cosine: 1, largest: 0, relative: 0, compared: 4096, notFinite: none };
  if (index === 3) {
    const reason = 'Tensors of element type F8_E4M3 cannot be read as numbers here.';
    return { change: 'unreadable', before: row, after: row, reason };
  }
  if (index % 4 === 0) return { change: 'identical', before: row, after: row, distance };
  const moved = { ...distance, relative: 0.00123 * index, cosine: 1 - 1e-5 * index, largest: 0.04 };
  if (index === 5)
    return { change: 'retyped', before: row, after: { ...row, type: 'BF16' }, distance: moved };
  return { change: 'moved', before: row, after: row, distance: moved };
});

const difference: CheckpointDifference = {
  before: names.before.path,
  after: names.after.path,
  tensors,
  whole: {
    relative: 0.0123,
    cosine: 0.99992,
    largest: 0.04,
    compared: 229_248,
    notFinite: { before: 0, after: 3 },
  },
  notes: [],
};

const selected = tensors.find(({ change }) => change === 'moved')!.before!.name;

async function open(
  harness: Harness,
  ...how: [Parameters<Harness['open']>[1]?]
): Promise<TestedPage> {
  const view = await harness.open('difference', ...how);
  await view.send(options);
  await view.send({ type: 'difference', names, difference });
  return view;
}

async function choose(view: TestedPage, name: string): Promise<void> {
  await view.page.getByRole('textbox').fill(name);
  await view.page.locator('.tensor .name', { hasText: name }).first().click();
  await view.page.getByRole('textbox').fill('');
}

describe('the page of what differs between two checkpoints', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const theme of themes) {
    it(`is clean in ${theme} with the picture of a tensor's difference`, async () => {
      const view = await open(harness, { theme });
      await choose(view, selected);
      await view.page.getByText('Reading…').waitFor();
      await view.ask('harness.untilPosted(2)');
      const asked = { type: 'picture', before: selected, after: selected };
      assert.deepEqual((await view.posted()).at(-1), asked);
      await view.send({ type: 'picture', name: selected, picture: statistics.picture });
      await view.page.locator('canvas').first().waitFor();
      await view.screenshot(`difference-${theme}`);
      await view.assertClean();
    });
  }

  it('sorts by how far tensors moved, and filters by what became of them', async () => {
    const view = await open(harness);
    const first = () => view.page.locator('.tensor .relative').first().innerText();
    const sort = view.page.getByRole('button', { name: 'Relative' });
    await sort.click();
    await sort.click();
    await view.ask('harness.settle()');
    const moved = tensors.flatMap(({ distance }) => (distance ? [distance.relative] : []));
    assert.equal(await first(), String(Number(Math.max(...moved).toPrecision(3))));
    await view.page.getByRole('textbox').fill('reshaped');
    await view.page.getByText(`1 of ${tensors.length}`).waitFor();
    await view.page.getByRole('grid').focus();
    await view.page.keyboard.press('Home');
    await view.ask('harness.settle()');
    assert.match(await view.announced(), /, reshaped/);
    await view.page.getByText(/in the first and .* in the second, so its values/).waitFor();
    await view.assertClean();
  });

  it('says why a tensor has no numbers, and that values which are not finite are left out', async () => {
    const view = await open(harness, { width: 600 });
    await view.page.getByText('They are left out of every distance here, and counted.').waitFor();
    await choose(view, tensors[3]!.before!.name);
    await view.page.getByText(/Its bytes are not the same. .*F8_E4M3/).waitFor();
    await choose(view, tensors[0]!.before!.name);
    await view.page.getByText('The first checkpoint alone has this tensor.').waitFor();
    await view.screenshot('difference-narrow');
    await view.assertClean();
  });

  it('shows how far a comparison is, and cancels it', async () => {
    const view = await harness.open('difference');
    await view.send(options);
    await view.send({ type: 'comparing', names, progress: '' });
    await view.page.getByText('Comparing weights…').waitFor();
    await view.send({ type: 'comparing', names, progress: '1.2 GB of 9.8 GB' });
    await view.page.getByText('Comparing weights: 1.2 GB of 9.8 GB').waitFor();
    await view.screenshot('difference-comparing');
    await view.assertClean();
    await view.page.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual((await view.posted()).at(-1), { type: 'cancel' });
    await view.send({ type: 'cancelled', names });
    await view.page.getByText('The comparison was cancelled.').waitFor();
    await view.page.getByRole('button', { name: 'Compare Again' }).click();
    assert.deepEqual((await view.posted()).at(-1), { type: 'compare' });
    await view.assertClean();
  });

  it('keeps the table where one picture fails, and tells a failure of it all', async () => {
    const view = await open(harness);
    await choose(view, selected);
    await view.ask('harness.untilPosted(2)');
    const failure = { message: 'The file has changed.', remedy: 'Compare again.' };
    await view.send({ type: 'failed', picture: true, ...failure });
    assert.match(await view.page.getByRole('alert').innerText(), /changed[^]*Compare again/);
    await view.page.getByRole('grid').waitFor();
    await view.send({ type: 'failed', picture: false, ...failure });
    await view.page.getByRole('grid').waitFor({ state: 'detached' });
    await view.assertClean();
  });
});
