import assert from 'node:assert/strict';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import { themes } from '../support/editor/settings';
import { fillLargeWorkspace } from '../support/largeWorkspace';

/** The heading's count when every file was looked at. */
const whole = /330 checkpoints/;

const options = {
  screenshots: 'many-',
  prepare: (workspace: { folder: string }) => fillLargeWorkspace(workspace.folder),
};
journey('a workspace of 5,000 files in the workbench', options, step => {
  step('is listed by folder, and at the end what cannot be used, with why', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'Not Supported').filter({ hasText: whole }).waitFor();
    await bench.screenshot('1-headings');
    const headings = bench.page.locator('.monaco-list-row', { hasText: 'projects' });
    await bench.treeRow('Checkpoints', 'Not Supported').click();
    await headings.nth(1).click();
    await bench.screenshot('2-not-supported');
  });

  step('tells of a row that is pointed at what it is and where it lies', async ({ bench }) => {
    const row = bench.treeRow('Checkpoints', 'bert-kjv');
    await row.hover();
    const hover = bench.page.locator('.monaco-hover', { hasText: 'model.safetensors' });
    await hover.waitFor();
    assert.match(await hover.innerText(), /3\slayers,\s64\shidden\sunits/);
    await bench.screenshot('3-hover');
  });

  step('is read in every theme', async ({ bench }) => {
    for (const theme of themes) {
      await bench.chooseTheme(theme);
      await bench.openContainer('LiGO');
      await bench.treeRow('Checkpoints', 'Not Supported').waitFor();
      await bench.screenshot(`4-${theme.toLowerCase().replaceAll(' ', '-')}`);
    }
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
