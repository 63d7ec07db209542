import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { PooledMatrix, RunEvent } from '../../src/protocol/events';
import { assertQuiet } from '../support/editor/assertQuiet';
import { pixelAt, readCanvas } from '../support/editor/canvas';
import { remoteConnections } from '../support/editor/connections';
import { journey } from '../support/editor/journey';
import { assertShowsMatrix } from '../support/editor/matrixPixels';
import { ProgressPage, RunPage } from '../support/editor/pages';
import { findRuns } from '../support/editor/runs';
import type { EditorServer } from '../support/editor/server';
import { themes } from '../support/editor/settings';
import { answerUpToPlan, shortGrowth } from '../support/editor/wizard';

type Snapshot = Extract<RunEvent, { type: 'operators' }>;

/** What the worker wrote down of the operators of the first run. */
const snapshotsOf = (server: EditorServer): Snapshot[] =>
  findRuns(server)[0]
    ?.events()
    .filter(event => event.type === 'operators') ?? [];

/** Largest magnitude of an operator in any snapshot. */
const largestOf = (snapshots: readonly Snapshot[], operator: string): number =>
  snapshots
    .flatMap(({ operators }) => operators.filter(({ name }) => name === operator))
    // Pictures between the first and the last may be packed.
    .flatMap(({ values = [] }: Partial<PooledMatrix>) => values)
    .reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

journey('growing a model in the workbench', { screenshots: 'growing-' }, step => {
  let started = 0;
  let ended = 0;

  step('Grow Model asks one thing at a time, goes back, and shows the plan', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    await bench.openContainer('Explorer');
    await bench.explorerRow('bert-kjv').click();
    await bench.openContextMenu(bench.explorerRow('model.safetensors'));
    await bench.chooseFromMenu('Grow Model…');
    const { quickInput } = bench;
    await quickInput.step('2/6');
    await quickInput.row('6 × 96').waitFor();
    await bench.screenshot('1-target');
    await quickInput.choose('Deeper and wider');
    await quickInput.step('3/6');
    await quickInput.row('kjv.txt').waitFor();
    await bench.screenshot('2-data');
    await quickInput.back();
    await answerUpToPlan(bench, shortGrowth);
    await quickInput.row('for 40 steps').waitFor();
    await quickInput.row('Suits the model').waitFor();
    await bench.screenshot('3-plan');
    const plan = await quickInput.lines();
    assert.match(plan, /229 K → 793 K/);
    assert.match(plan, /3 × 64 → 6 × 96/);
    started = Date.now();
    await quickInput.choose('Start Growing');
    await quickInput.isHidden();
  });

  step('the progress view follows the run to its end', async ({ bench, server }) => {
    const progress = await ProgressPage.open(bench);
    await progress.reaches(6);
    await bench.screenshot('4-progress');
    assert.deepEqual(remoteConnections(server.session), []);
    await progress.endsDone();
    ended = Date.now();
    await bench.screenshot('5-done');
  });

  step(
    'the run panel draws every operator as it is, at the end and at the start',
    async ({ bench, server }) => {
      const progress = await ProgressPage.open(bench);
      await progress.press('Open');
      const page = await RunPage.find(bench);
      const snapshots = snapshotsOf(server);
      const [first, last] = [snapshots[0], snapshots.at(-1)];
      assert.ok(first && last && last.step > first.step && last.operators.length > 10);
      await page.shows(last.step);
      await page.thumbnails.nth(last.operators.length - 1).waitFor();
      const assertShown = async (operators: readonly PooledMatrix[]): Promise<void> => {
        for (const operator of operators) {
          const pixels = await readCanvas(page.thumbnail(operator.name));
          assertShowsMatrix(pixels, operator, largestOf(snapshots, operator.name));
        }
      };
      await assertShown(last.operators);
      await bench.screenshot('6-panel');
      await page.slider.focus();
      await bench.page.keyboard.press('Home');
      await page.shows(first.step);
      await assertShown(first.operators);
      await bench.page.keyboard.press('End');
    },
  );

  step(
    'the large heatmap shows the cell and its value under the cursor',
    async ({ bench, server }) => {
      const page = await RunPage.find(bench);
      const last = snapshotsOf(server).at(-1);
      const operator = last?.operators.find(({ name }) => name === 'depth.q.weight');
      assert.ok(operator);
      await page.thumbnail(operator.name).click();
      await page.heatmap.focus();
      await bench.page.keyboard.press('ArrowDown');
      await bench.page.keyboard.press('ArrowDown');
      await page.tooltip.filter({ hasText: 'large layer 1, small layer 0' }).waitFor();
      const value = await page.tooltip.locator('strong').textContent();
      const shown = Number(value?.replace('\u2212', '-'));
      assert.ok(Math.abs(shown - operator.values[operator.columns]!) < 1e-3, `${value}`);
      await page.heatmap.scrollIntoViewIfNeeded();
      await bench.screenshot('7-heatmap');
      const [cell, frame] = [await page.cursor.boundingBox(), await page.heatmap.boundingBox()];
      assert.ok(cell && frame);
      const large = await readCanvas(page.heatmap);
      const density = large.width / frame.width;
      // Beside the number that is written into a large cell.
      const inCell = pixelAt(
        large,
        (cell.x + 0.1 * cell.width - frame.x) * density,
        (cell.y + 0.1 * cell.height - frame.y) * density,
      );
      const small = pixelAt(await readCanvas(page.thumbnail(operator.name)), 0, 1);
      assert.deepEqual(inCell, small);
    },
  );

  step('the grown checkpoint stands in the tree under its parent', async ({ bench, workspace }) => {
    await bench.openContainer('LiGO');
    const child = bench.treeRow('Checkpoints', 'bert-kjv-grown-6x96');
    await child.filter({ hasText: '6 × 96' }).waitFor();
    assert.equal(await child.getAttribute('aria-level'), '2');
    assert.ok(existsSync(workspace.path('bert-kjv-grown-6x96', 'growth.json')));
    await bench.screenshot('8-tree');
  });

  step('every kind of theme shows the same values', async ({ bench, server }) => {
    const page = await RunPage.find(bench);
    const last = snapshotsOf(server).at(-1);
    const operator = last?.operators.find(({ name }) => name === 'depth.q.weight');
    assert.ok(operator);
    const limit = largestOf(snapshotsOf(server), operator.name);
    const backgrounds = new Set([await page.background()]);
    for (const theme of themes) {
      await bench.chooseTheme(theme);
      while (backgrounds.has(await page.background())) await bench.page.waitForTimeout(50);
      backgrounds.add(await page.background());
      await page.painted();
      assertShowsMatrix(await readCanvas(page.thumbnail(operator.name)), operator, limit);
      await bench.screenshot(`9-${theme.toLowerCase().replaceAll(' ', '-')}`);
    }
  });

  step('the extension host was never blocked for long while the run went on', ({ server }) => {
    const long = server
      .facts()
      .blocked.filter(({ time, busy }) => time > started && time < ended && busy > 50);
    assert.deepEqual(long, []);
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
