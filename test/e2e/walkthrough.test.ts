import assert from 'node:assert/strict';
import { journey } from '../support/editor/journey';
import { ProgressPage, RunPage } from '../support/editor/pages';
import { themes } from '../support/editor/settings';
import { growFromHere, shortGrowth } from '../support/editor/wizard';
import type { Workbench } from '../support/editor/workbench';

const steps = ['example', 'find', 'grow', 'watch'] as const;

/** Opens the walkthrough and waits until these of its steps are ticked, and no others. */
async function untilTicked(
  bench: Workbench,
  done: readonly (typeof steps)[number][],
): Promise<void> {
  const title = 'Grow your first model';
  await bench.runAndChoose('Welcome: Open Walkthrough...', title, title);
  for (const id of steps) {
    const sign = done.includes(id) ? 'checked' : 'unchecked';
    await bench.page
      .locator(`.getting-started-step[data-step-id$="#${id}"]`)
      .locator(`.codicon-getting-started-step-${sign}`)
      .first()
      .waitFor();
  }
}

/** Chooses a step and waits for its picture. */
async function openStep(bench: Workbench, id: (typeof steps)[number]): Promise<void> {
  await bench.page.locator(`.getting-started-step[data-step-id$="#${id}"]`).click();
  await bench.page
    .locator('.getting-started-media iframe, .getting-started-media .webview')
    .first()
    .waitFor();
}

journey('the walkthrough', { screenshots: 'walkthrough-' }, step => {
  step('ticks nothing that was only begun', async ({ bench }) => {
    await untilTicked(bench, []);
    await bench.runCommand('LiGO: Grow Model…');
    await bench.quickInput.step('1/6');
    await bench.page.keyboard.press('Escape');
    await bench.quickInput.isHidden();
    await untilTicked(bench, []);
    await bench.screenshot('1-begun');
  });

  step('ticks what was done by other ways than its own buttons', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    await untilTicked(bench, ['find']);
    const progress = await ProgressPage.open(bench);
    await progress.press('Grow Model…');
    await bench.quickInput.step('1/6');
    await bench.quickInput.choose('bert-kjv');
    await growFromHere(bench, shortGrowth);
    await untilTicked(bench, ['find', 'grow']);
    await progress.endsDone();
    await progress.press('Open');
    await RunPage.find(bench);
    await untilTicked(bench, ['find', 'grow', 'watch']);
    await bench.screenshot('2-done');
  });

  step('has pictures that suit every kind of theme', async ({ bench }) => {
    for (const theme of themes) {
      await bench.chooseTheme(theme);
      for (const id of steps) {
        await openStep(bench, id);
        await bench.screenshot(`3-${theme.toLowerCase().replaceAll(' ', '-')}-${id}`);
      }
    }
  });

  step('names the tab of a checkpoint after its folder', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'gpt2-kjv').click();
    await bench.webview('ligo-inspector', /gpt2-kjv/);
    const titles = await bench.editorTitles();
    assert.ok(titles.includes('gpt2-kjv'), titles.join(', '));
    await bench.screenshot('4-inspector');
  });
});
