import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { assertQuiet } from '../support/editor/assertQuiet';
import { repository } from '../support/editor/installation';
import { journey } from '../support/editor/journey';
import { ProgressPage } from '../support/editor/pages';
import { growFromHere, shortGrowth } from '../support/editor/wizard';

/** Packages the extension as it is published, and returns the VSIX. */
function packageExtension(): string {
  const started = Date.now();
  const result = spawnSync(process.execPath, ['scripts/package.mjs'], {
    cwd: repository,
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
  const out = join(repository, 'out');
  const made = readdirSync(out)
    .filter(name => name.endsWith('.vsix'))
    .map(name => join(out, name))
    .find(path => statSync(path).mtimeMs >= started);
  assert.ok(made, 'no VSIX was written');
  return made;
}

const options = { screenshots: 'vsix-', extension: { vsix: packageExtension() } };
journey('the packaged extension in a clean profile', options, step => {
  step('grows the example through the quick pick', async ({ bench, workspace }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    await bench.runCommand('LiGO: Grow Model…');
    await bench.quickInput.step('1/6');
    await bench.quickInput.choose('bert-kjv');
    await growFromHere(bench, shortGrowth);
    const progress = await ProgressPage.open(bench);
    await progress.past.filter({ hasText: 'Done' }).waitFor({ timeout: 60_000 });
    assert.ok(existsSync(workspace.path('bert-kjv-grown-6x96', 'model.safetensors')));
    await bench.screenshot('1-done');
  });

  step('leaves the machine alone', assertQuiet);
});
