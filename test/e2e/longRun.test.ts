import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { journey } from '../support/editor/journey';
import { ProgressPage, RunPage } from '../support/editor/pages';
import { findRuns, stepsTaken, type FoundRun } from '../support/editor/runs';
import { growFromHere, shortGrowth } from '../support/editor/wizard';

journey('a long run', { screenshots: 'long-' }, step => {
  let run: FoundRun;

  step('waits when paused, and goes on', async ({ bench, server }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    await bench.runCommand('LiGO: Grow Model…');
    await bench.quickInput.step('1/6');
    await bench.screenshot('1-checkpoint');
    await bench.quickInput.choose('bert-kjv');
    await growFromHere(bench, { ...shortGrowth, steps: 5000 });
    const progress = await ProgressPage.open(bench);
    await progress.reaches(3);
    run = findRuns(server)[0]!;
    await progress.press('Pause');
    await progress.isStatus('Paused');
    await bench.screenshot('2-paused');
    const paused = stepsTaken(run);
    await sleep(3000);
    // The step that was under way may end.
    assert.ok(stepsTaken(run) <= paused + 1, `${stepsTaken(run)} steps, ${paused} when paused`);
    await progress.press('Resume');
    await progress.isStatus('Running');
    await progress.reaches(paused + 5);
    await progress.press('Open');
    await (await RunPage.find(bench)).thumbnails.first().waitFor();
  });

  step(
    'outlives a reload of the window, which finds it again and brings its panel back',
    async ({ bench }) => {
      const { pid } = run.worker();
      await bench.reloadWindow();
      const progress = await ProgressPage.open(bench);
      await progress.isStatus('Running');
      const step = await progress.step();
      await progress.reaches(step + 5);
      assert.equal(run.worker().pid, pid);
      const panel = await RunPage.find(bench);
      await panel.thumbnail('depth.q.weight').waitFor();
      assert.match(await panel.frame.locator('header').first().innerText(), /bert-kjv → 6/);
      await bench.screenshot('3-reloaded');
    },
  );

  step(
    'is stopped and kept: the checkpoint of that moment is written',
    async ({ bench, workspace }) => {
      const progress = await ProgressPage.open(bench);
      await progress.press('Stop and keep');
      await progress.endsDone();
      await bench.treeRow('Checkpoints', 'bert-kjv-grown-6x96').waitFor();
      await bench.screenshot('4-kept');
      const receipt = JSON.parse(
        readFileSync(workspace.path('bert-kjv-grown-6x96', 'growth.json'), 'utf8'),
      ) as { steps: number };
      assert.ok(receipt.steps > 5 && receipt.steps < 5000, `${receipt.steps} steps`);
    },
  );
});
