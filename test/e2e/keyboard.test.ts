import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Frame, Locator } from 'playwright-core';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import { packageExtension } from '../support/editor/packaged';
import { ProgressPage } from '../support/editor/pages';
import type { Workbench } from '../support/editor/workbench';

/** Milliseconds after which a key that moved nothing is pressed again. */
const noMove = 2000;

/** Presses a key until what has the focus has this text; each time waits for the focus to move. */
async function pressUntil(
  bench: Workbench,
  key: string,
  { focused, wanted }: { focused: () => Promise<string>; wanted: string },
): Promise<void> {
  for (let count = 0; count < 60; count++) {
    const before = await focused();
    if (before === wanted) return;
    await bench.page.keyboard.press(key);
    const pressed = Date.now();
    while ((await focused()) === before && Date.now() - pressed < noMove) {
      await bench.page.waitForTimeout(20);
    }
  }
  throw new Error(`Sixty times ${key} did not lead to ${wanted}.`);
}

/** The text of an element, or none where it is not there. */
const textOf = async (element: Locator): Promise<string> => {
  const [text = ''] = await element.allTextContents();
  return text.trim();
};

/** Goes down the Checkpoints view to a row. */
async function goToRow(bench: Workbench, name: string): Promise<void> {
  await bench.runCommand('LiGO: Focus on Checkpoints View');
  await bench.treeRow('Checkpoints', name).waitFor();
  // The first time, the view had nothing yet that could take the focus.
  await bench.runCommand('LiGO: Focus on Checkpoints View');
  await bench.page.keyboard.press('Home');
  const focused = bench.page.locator('.tree-explorer-viewlet-tree-view .monaco-list-row.focused');
  const label = focused.locator('.label-name');
  await pressUntil(bench, 'ArrowDown', { focused: () => textOf(label), wanted: name });
}

/** What has the focus in a page. */
const focusedIn = (page: Frame): Promise<string> =>
  page.evaluate(`document.activeElement?.textContent.trim() ?? ''`);

const options = { screenshots: 'keyboard-', extension: { vsix: packageExtension() } };
journey('the packaged extension in a clean profile, by keyboard alone', options, step => {
  step('Grow Model is chosen from the menu of the tree', async ({ bench }) => {
    await goToRow(bench, 'bert-kjv');
    await bench.page.keyboard.press('Shift+F10');
    const focused = bench.page.locator('.monaco-menu .action-item.focused');
    await bench.page.locator('.monaco-menu').waitFor();
    await pressUntil(bench, 'ArrowDown', {
      focused: () => textOf(focused.locator('.action-label')),
      wanted: 'Grow Model…',
    });
    await bench.screenshot('1-menu');
    await bench.page.keyboard.press('Enter');
  });

  step('its questions are answered', async ({ bench: { page, quickInput } }) => {
    await quickInput.step('2/6');
    await quickInput.focusedRow('Deeper and wider').waitFor();
    await page.keyboard.press('Enter');
    await quickInput.step('3/6');
    await quickInput.row('kjv.txt').waitFor();
    await page.keyboard.type('kjv.txt');
    await quickInput.focusedRow('kjv.txt').waitFor();
    await page.keyboard.press('Enter');
    await quickInput.step('4/6');
    await quickInput.focusedRow('LiGO').waitFor();
    await page.keyboard.press('Enter');
    await quickInput.step('5/6');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('5000');
    await page.keyboard.press('Enter');
    await quickInput.step('6/6');
    await quickInput.row('Suits the model').waitFor();
    await quickInput.focusedRow('Start Growing').waitFor();
    await page.keyboard.press('Enter');
    await quickInput.isHidden();
  });

  step('the run is stopped and kept in the progress view', async ({ bench }) => {
    await bench.runCommand('LiGO: Focus on Progress View');
    const progress = await ProgressPage.attach(bench);
    await progress.reaches(3);
    const focused = (): Promise<string> => focusedIn(progress.frame);
    await pressUntil(bench, 'Tab', { focused, wanted: 'Stop and keep' });
    await bench.screenshot('2-stop');
    await bench.page.keyboard.press('Enter');
    await progress.endsDone();
  });

  step('the grown checkpoint is opened from the tree', async ({ bench, workspace }) => {
    await goToRow(bench, 'bert-kjv-grown-6x96');
    await bench.page.keyboard.press('Enter');
    const inspector = await bench.webview('ligo-inspector');
    await inspector.getByText('792,544').waitFor();
    await bench.screenshot('3-grown');
    assert.ok(existsSync(workspace.path('bert-kjv-grown-6x96', 'model.safetensors')));
  });

  step('the machine was left alone', assertQuiet);
});
