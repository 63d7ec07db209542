import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { after } from 'node:test';
import { journey } from '../support/editor/journey';
import { plantGit, type PlantedGit } from '../support/plantedGit';
import type { TestWorkspace } from '../support/editor/workspace';

/** What a folder that came from somewhere else may bring, with a model that its git would ignore. */
const options = {
  screenshots: 'planted-',
  asksForTrust: true,
  prepare: ({ path, folder }: TestWorkspace) => {
    cpSync(path('bert-kjv'), path('ignored', 'bert-ignored'), { recursive: true });
    mkdirSync(path('.vscode'), { recursive: true });
    writeFileSync(
      path('.vscode', 'settings.json'),
      JSON.stringify({ 'ligo.checkpoints.showGitIgnored': false }),
    );
    planted = plantGit(folder);
  },
};
let planted: PlantedGit | undefined;
after(() => planted?.remove());

journey('a workspace that would have git run its programs', options, step => {
  step('runs none before it is trusted, whatever its settings say', async ({ bench }) => {
    const question = bench.dialog('Do you trust the authors');
    await question.getByText("No, I don't trust the authors").click();
    await question.waitFor({ state: 'hidden' });
    await bench.openContainer('LiGO');
    // The tree is drawn when the scan knows what git says.
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    await bench.screenshot('1-restricted');
    assert.deepEqual(planted?.ran(), []);
    await bench.treeRow('Checkpoints', 'bert-ignored').waitFor();
  });

  step('runs none when it is trusted, and what git ignores is hidden', async ({ bench }) => {
    await bench.runCommand('Workspaces: Manage Workspace Trust');
    await bench.page.locator('.workspace-trust-editor').getByText('Trust', { exact: true }).click();
    await bench.treeRow('Checkpoints', 'bert-ignored').waitFor({ state: 'hidden' });
    await bench.screenshot('2-trusted');
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    assert.deepEqual(planted?.ran(), []);
  });
});
