import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { methodTitle } from '../../src/protocol/methodTitles';
import { skip, startHarness, themes, type Harness } from './harness/browser';
import { comparisonAt, comparisonDone, eventsUntil } from './harness/recordedComparison';

const options = { type: 'options', options: { strings: {}, colorMap: 'RdBu' } };
const running = comparisonAt(eventsUntil('bert2bert', 120));
const done = comparisonDone();

describe('the panel of a comparison', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  async function open(run: object, theme?: (typeof themes)[number], width = 1200) {
    const view = await harness.open('run', { ...(theme && { theme }), width });
    await view.send(options);
    await view.send({ type: 'run', run });
    return view;
  }

  for (const theme of themes) {
    it(`is clean in ${theme}, running and done`, async () => {
      const view = await open(running, theme);
      await view.screenshot(`comparison-running-${theme}`);
      await view.assertClean();
      await view.send({ type: 'run', run: done });
      await view.screenshot(`comparison-done-${theme}`);
      await view.assertClean();
    });
  }

  it('is clean on a narrow editor column', async () => {
    const view = await open(done, undefined, 480);
    await view.screenshot('comparison-narrow');
    await view.assertClean();
  });

  it('tells the run that is being made, and where each run stands', async () => {
    const view = await open(running);
    await view.page.getByText('run 4 of 7: bert2bert, seed 0, step 120 of 200').waitFor();
    const cells = (method: string): Promise<string[]> =>
      view.page
        .locator('.compared-runs tbody tr', { hasText: method })
        .locator('td')
        .allInnerTexts();
    const [, start, last, step, , , state] = await cells('bert2bert');
    const { curve } = running.comparison!.runs.find(({ method }) => method === 'bert2bert')!;
    assert.equal(start, curve[0]!.loss.toFixed(3));
    assert.equal(last, curve.at(-1)!.loss.toFixed(3));
    assert.deepEqual([step, state], ['120', 'training']);
    assert.equal((await cells('random')).at(-1), 'finished');
    assert.deepEqual((await cells('net2net')).slice(1), ['', '', '', '', '', 'waiting']);
  });

  it('tells why a run failed', async () => {
    const view = await open(done);
    await view.page.getByText('failed: mslt copies top layers onto the top').waitFor();
  });

  it('draws every method in a look of its own, and the small model as a dotted line', async () => {
    const view = await open(done, 'light');
    const looks = await view.ask<string[]>(
      `[...document.querySelectorAll('.legend-list line')].map(line => line.getAttribute('stroke') + line.getAttribute('stroke-dasharray'))`,
    );
    assert.equal(new Set(looks).size, 7);
    // Each colour of the legend is on the canvas, and gone when its method is hidden.
    const drawn = (color: string): Promise<number> =>
      view.ask(`(() => {
        const { width, height, data } = harness.pixels('.comparison-stage canvas');
        const wanted = [1, 3, 5].map(at => parseInt('${color}'.slice(at, at + 2), 16));
        let count = 0;
        for (let i = 0; i < width * height * 4; i += 4) {
          if (wanted.every((value, channel) => Math.abs(data[i + channel] - value) < 6) && data[i + 3] > 200) count++;
        }
        return count;
      })()`);
    const stack = looks[2]!.slice(0, 7);
    assert.ok((await drawn(stack)) > 50);
    await view.page.getByRole('button', { name: 'Stack (StackBERT)' }).click();
    await view.ask('harness.settle()');
    assert.equal(await drawn(stack), 0);
    assert.equal(
      await view.page
        .getByRole('button', { name: 'Stack (StackBERT)' })
        .getAttribute('aria-pressed'),
      'false',
    );
  });

  it('names methods as the wizard does, and says so when all of them are hidden', async () => {
    const view = await open(done);
    const buttons = view.page.locator('.legend-button');
    const names = await buttons.allInnerTexts();
    const known = done.comparison!.runs.map(({ method }) => methodTitle(method));
    assert.deepEqual(names, [...new Set(known)]);
    assert.deepEqual(await view.page.locator('.method-name').allInnerTexts(), names);
    for (const button of await buttons.all()) await button.click();
    await view.page.getByText('All methods are hidden: choose one above.').waitFor();
    await view.screenshot('comparison-hidden');
    await view.assertClean();
  });

  it('is read by keyboard: along a curve, and from one to the next', async () => {
    const view = await open(done);
    await view.page.locator('.comparison-stage').focus();
    await view.page.keyboard.press('Home');
    const first = done.comparison!.runs[0]!.curve[0]!;
    assert.match(
      await view.announced(),
      /Random \(from scratch\), seed 0 · step 0 · held-out loss /,
    );
    assert.ok((await view.announced()).includes(first.loss.toFixed(3)));
    await view.page.keyboard.press('ArrowRight');
    assert.match(await view.announced(), /Random \(from scratch\), seed 0 · step 10 · /);
    await view.page.keyboard.press('ArrowDown');
    assert.match(await view.announced(), /LiGO, seed 0 · /);
    await view.page.keyboard.press('End');
    assert.match(await view.announced(), /LiGO, seed 0 · step 200 · /);
  });

  it('draws against time and steps when asked, and remembers it', async () => {
    const view = await open(done);
    const box = view.page.getByRole('combobox', { name: 'Draw the loss against' });
    await box.click();
    await view.page.getByRole('option', { name: 'against steps' }).click();
    await view.ask('harness.settle()');
    await view.screenshot('comparison-steps');
    const state = await view.ask<{ comparison: { horizontal: string } }>(
      `JSON.parse(sessionStorage.getItem('state ' + location.pathname))`,
    );
    assert.equal(state.comparison.horizontal, 'step');
  });

  it('follows a run by increments', async () => {
    const view = await open(running);
    const next = comparisonAt(eventsUntil('net2net', 50));
    await view.send({
      ...{ type: 'append', summary: next.summary, comparison: next.comparison },
      ...{ steps: [], losses: [], snapshots: [], evaluations: [] },
    });
    await view.page.getByText('run 5 of 7: net2net, seed 0, step 50 of 200').waitFor();
    const row = view.page.locator('.compared-runs tbody tr', { hasText: 'net2net' });
    assert.match(await row.innerText(), /training/);
  });

  it('opens the report and the output once it is done', async () => {
    const view = await open(running);
    assert.equal(await view.page.getByRole('button', { name: 'Open Report' }).count(), 0);
    await view.send({
      type: 'run',
      run: { ...done, summary: { ...done.summary, status: 'done' } },
    });
    await view.page.getByRole('button', { name: 'Open Report' }).click();
    await view.page.getByRole('button', { name: 'Reveal Output' }).click();
    assert.deepEqual((await view.posted()).slice(-2), [
      { type: 'openReport' },
      { type: 'revealOutput' },
    ]);
  });

  it('can be paused and cancelled, but not stopped and kept', async () => {
    const view = await open(running);
    assert.equal(await view.page.getByRole('button', { name: /Stop and keep/ }).count(), 0);
    await view.page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await view.page.getByText('Runs that ended are kept').waitFor();
    await view.page.getByRole('button', { name: 'Cancel run' }).click();
    assert.deepEqual((await view.posted()).at(-1), { type: 'control', command: 'cancel' });
  });
});

describe('the progress view of a comparison', { skip }, () => {
  it('tells how far it is, and opens the report when it is done', async () => {
    const harness = await startHarness();
    try {
      const view = await harness.open('progress', { width: 300, height: 760 });
      await view.send(options);
      const past = { ...done.summary, id: 'past', status: 'done', secondsLeft: undefined };
      await view.send({ type: 'runs', runs: [running.summary, past], elsewhere: [] });
      await view.page.getByText('run 4 of 7: bert2bert').waitFor();
      const bar = view.page.getByRole('progressbar');
      // LiGO learned for 20 steps before it trained, and is done.
      assert.equal(await bar.getAttribute('aria-valuenow'), String(20 + 3 * 200 + 120));
      assert.equal(await bar.getAttribute('aria-valuemax'), String(20 + 7 * 200));
      await view.screenshot('progress-comparison');
      await view.assertClean();
      await view.page.getByRole('button', { name: /^Report/ }).click();
      assert.deepEqual((await view.posted()).at(-1), { type: 'openReport', run: 'past' });
    } finally {
      await harness.close();
    }
  });
});
