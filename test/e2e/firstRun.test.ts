import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Receipt } from '../../src/protocol/events';
import { runFiles } from '../../src/protocol/runFolder';
import { journey } from '../support/editor/journey';
import { buttonIn, ProgressPage, RunPage } from '../support/editor/pages';
import { findRuns } from '../support/editor/runs';

/** What the questions suggest for the example GPT-2. */
const usual = [
  { name: 'target', row: 'Deeper and wider' },
  { name: 'data', row: 'kjv.txt' },
  { name: 'method', row: 'LiGO' },
] as const;

/** Most that the events of a run of a hundred steps may take on the disk, bytes. */
const mostBytes = 5e6;

journey('the first run, with every default', { screenshots: 'first-' }, step => {
  step(
    'is planned by pressing Enter, with sequences as the model knows them',
    async ({ bench }) => {
      const { page, quickInput } = bench;
      await bench.openContainer('LiGO');
      await bench.treeRow('Checkpoints', 'gpt2-kjv').waitFor();
      await bench.screenshot('1-checkpoints');
      await bench.openContextMenu(bench.treeRow('Checkpoints', 'gpt2-kjv'));
      await bench.chooseFromMenu('Grow Model…');
      for (const [at, { name, row }] of usual.entries()) {
        await quickInput.step(`${at + 2}/6`);
        await quickInput.focusedRow(row).waitFor();
        await bench.screenshot(`${at + 2}-${name}`);
        await page.keyboard.press('Enter');
      }
      await quickInput.step('5/6');
      await bench.screenshot('5-steps');
      await page.keyboard.press('Enter');
      await quickInput.step('6/6');
      await quickInput.row('Suits the model').waitFor();
      await quickInput.row('for 100 steps').waitFor();
      await bench.screenshot('6-plan');
      await quickInput.focusedRow('Start Growing').waitFor();
      await page.keyboard.press('Enter');
      await quickInput.isHidden();
    },
  );

  step('ends about as good as the small model', async ({ bench, workspace, server }) => {
    const progress = await ProgressPage.open(bench);
    await progress.reaches(10);
    await bench.screenshot('7-running');
    await progress.endsDone();
    await bench.screenshot('8-done');
    const [run] = findRuns(server);
    const receipt = JSON.parse(
      readFileSync(join(run!.request.out, 'growth.json'), 'utf8'),
    ) as Required<Receipt>;
    assert.ok(run!.request.out.startsWith(workspace.folder));
    const planned = run!.events().find(event => event.type === 'plan');
    assert.equal(planned?.plan.cost?.sequenceLength, 64);
    const { small, after } = receipt.losses;
    assert.ok(after.loss - small.loss < 0.1, `${after.loss} for a model of ${small.loss}`);
  });

  step('is opened at its final operators', async ({ bench, server, tell }) => {
    const progress = await ProgressPage.attach(bench);
    const began = Date.now();
    await progress.press('Open');
    const panel = await RunPage.find(bench);
    await panel.thumbnails.first().waitFor();
    await panel.painted();
    tell(`${Date.now() - began} ms from the click to its final operators`);
    await bench.screenshot('9-opened');
    const { size } = statSync(join(findRuns(server)[0]!.folder, runFiles.events));
    tell(`${(size / 1e6).toFixed(2)} MB of events`);
    assert.ok(size < mostBytes, `${size} bytes of events`);
  });

  step('offers what comes next', async ({ bench }) => {
    await buttonIn((await RunPage.find(bench)).frame, 'What Next…').click();
    await bench.quickInput.row('Inspect').waitFor();
    await bench.screenshot('10-next');
    await bench.page.keyboard.press('Escape');
  });
});
