import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { asItGoesOn } from '../support/editor/goingOn';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import { ProgressPage, RunPage, buttonIn } from '../support/editor/pages';
import { findRuns, type FoundRun } from '../support/editor/runs';
import { themes } from '../support/editor/settings';

journey('training a model in the workbench', { screenshots: 'training-' }, step => {
  let run: FoundRun;

  step('Train asks for data and shows a plan in which all can be changed', async ({ bench }) => {
    await bench.openContainer('LiGO');
    const row = bench.treeRow('Checkpoints', 'gpt2-kjv');
    await row.waitFor();
    await bench.openContextMenu(row);
    await bench.chooseFromMenu('Train…');
    const { quickInput } = bench;
    await quickInput.step('2/3');
    await quickInput.choose('kjv.txt');
    await quickInput.step('3/3');
    await quickInput.choose('Steps…');
    await quickInput.answer('300');
    await quickInput.row('for 300 steps').waitFor();
    await quickInput.row('Suits the model').waitFor();
    await bench.screenshot('1-plan');
    await quickInput.choose('More…');
    await quickInput.row('Token Drop').waitFor();
    await bench.screenshot('2-more');
    await quickInput.choose('Back to the Plan');
    await quickInput.row('Suits the model').waitFor();
    await quickInput.choose('Start Training');
    await quickInput.isHidden();
  });

  step('the progress view and the panel follow it', async ({ bench, server }) => {
    const progress = await ProgressPage.open(bench);
    await progress.reaches(20);
    run = findRuns(server)[0]!;
    assert.equal(run.request.kind, 'train');
    await progress.press('Open');
    const page = await RunPage.find(bench);
    await page.frame.locator('.chart-stage canvas').waitFor();
    await page.frame.locator('.rate-stage canvas').waitFor();
    await bench.screenshot('3-running');
  });

  step('it outlives a reload of the window, which finds it again', async ({ bench }) => {
    const { pid } = run.worker();
    await bench.reloadWindow();
    const progress = await ProgressPage.open(bench);
    await progress.isStatus('Running');
    const at = await progress.step();
    await progress.reaches(at + 5);
    assert.equal(run.worker().pid, pid);
    const page = await RunPage.find(bench);
    await page.frame.locator('.rate-stage canvas').waitFor();
    assert.match(await page.frame.locator('header').first().innerText(), /Train gpt2-kjv/);
  });

  step('it ends with its outcome in words, by the receipt', async ({ bench, workspace }) => {
    const progress = await ProgressPage.open(bench);
    await progress.endsDone();
    const page = await RunPage.find(bench);
    const outcome = page.frame.locator('.outcome');
    await outcome.filter({ hasText: 'Trained for 300 steps.' }).waitFor();
    assert.ok(existsSync(workspace.path('gpt2-kjv-trained', 'training.json')));
    await bench.treeRow('Checkpoints', 'gpt2-kjv-trained').waitFor();
    const table = await page.frame.locator('.visually-hidden table').first().innerText();
    assert.match(table, /Held-out loss/);
    assert.equal(await page.frame.locator('canvas.thumbnail').count(), 0);
    for (const theme of themes) {
      await bench.chooseTheme(theme);
      await page.painted();
      await bench.screenshot(`4-done-${theme.toLowerCase().replaceAll(' ', '-')}`);
    }
  });

  step('it goes on in PyTorch with data, steps and batch of its receipt', async suite => {
    const { bench, workspace } = suite;
    const page = await RunPage.find(bench);
    await buttonIn(page.frame, 'Continue in PyTorch…').click();
    const { quickInput } = bench;
    await quickInput.step('2/4');
    await quickInput.choose('Kubernetes');
    await quickInput.step('3/4');
    await quickInput.choose('kjv.txt');
    await quickInput.step('4/4');
    await quickInput.row('300 steps').waitFor();
    await quickInput.row('training.json').waitFor();
    await bench.screenshot('4-handoff');
    await quickInput.choose('Write Project');
    await quickInput.isHidden();
    await bench.page.getByRole('tab', { name: 'README.md' }).waitFor();
    const project = 'gpt2-kjv-trained-pytorch';
    assert.ok(existsSync(workspace.path(project, 'trainjob.yaml')));
    await bench.page.locator('.notification-toast').filter({ hasText: project }).first().waitFor();
    await bench.runCommand('View: Close All Editors');
  });

  step('a growth offers to train what has grown', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.runCommand('LiGO: Grow Model…');
    const { quickInput } = bench;
    await quickInput.step('1/6');
    await quickInput.choose('bert-kjv');
    await quickInput.step('2/6');
    await quickInput.choose('Deeper and wider');
    await quickInput.step('3/6');
    await quickInput.choose('kjv.txt');
    await quickInput.step('4/6');
    await quickInput.choose('Stack');
    await quickInput.step('6/6');
    await quickInput.row('Suits the model').waitFor();
    await quickInput.choose('Start Growing');
    await quickInput.isHidden();
    const progress = await ProgressPage.open(bench);
    const grown = progress.past.filter({ hasText: '6 × 96' });
    await asItGoesOn(grown.filter({ hasText: 'Done' }), () => grown.allTextContents().then(String));
    await buttonIn(progress.frame, 'Open').click();
    const page = await RunPage.find(bench, /6 × 96/);
    await page.frame.locator('.actions').filter({ hasText: 'Train…' }).waitFor();
    await bench.screenshot('5-grown');
    await buttonIn(page.frame, 'Train…').click();
    await quickInput.step('2/3');
    await bench.page.keyboard.press('Escape');
    await quickInput.isHidden();
  });

  step('curves of several runs come back after a reload of the window', async ({ bench }) => {
    await bench.runCommand('LiGO: Compare Curves…');
    await bench.quickInput.row('Train gpt2-kjv').waitFor();
    await bench.page.keyboard.press('Enter');
    await bench.quickInput.isHidden();
    const legend = async () => {
      const frame = await bench.webview('ligo-curves');
      await frame.locator('.legend-button').filter({ hasText: 'Train gpt2-kjv' }).waitFor();
      return frame.locator('.legend-button').allTextContents();
    };
    const before = await legend();
    await bench.reloadWindow();
    assert.deepEqual(await legend(), before);
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
