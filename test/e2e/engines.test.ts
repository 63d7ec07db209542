import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import type { EditorServer } from '../support/editor/server';
import { answerUpToPlan, shortGrowth } from '../support/editor/wizard';
import type { TestWorkspace } from '../support/editor/workspace';

/** A Node whose npm does what a file beside it says: fails as without a network, or hangs. */
const nodeFolder = mkdtempSync(join(tmpdir(), 'ligo-npm-'));
after(() => rmSync(nodeFolder, { recursive: true, force: true }));
const npm = join(nodeFolder, 'node_modules', 'npm', 'bin');
mkdirSync(npm, { recursive: true });
symlinkSync(process.execPath, join(nodeFolder, 'node'));
writeFileSync(
  join(npm, 'npm-cli.js'),
  `const mode = require('node:fs').readFileSync(${JSON.stringify(join(nodeFolder, 'mode'))}, 'utf8');
console.log('* Downloading libtensorflow');
if (mode === 'hangs') setInterval(() => {}, 1000);
else setTimeout(() => {
  console.error('https://storage.googleapis.com/tensorflow/libtensorflow-cpu-2.9.1.tar.gz');
  console.error('Error: getaddrinfo ENOTFOUND storage.googleapis.com');
  process.exit(1);
}, 300);
`,
);
const npmThat = (mode: 'fails' | 'hangs'): void => writeFileSync(join(nodeFolder, 'mode'), mode);

/** What lies in the extension's own folder of engines. */
const installed = (server: EditorServer): string[] =>
  readdirSync(
    join(server.profile, 'user', 'User', 'globalStorage', 'ligo-grow.ligo-grow', 'engines'),
  );

/** A setting of the machine comes from the workspace here: the user's own are the browser's. */
function setNodePath(workspace: TestWorkspace): void {
  mkdirSync(workspace.path('.vscode'), { recursive: true });
  const settings = { 'ligo.nodePath': join(nodeFolder, 'node') };
  writeFileSync(workspace.path('.vscode', 'settings.json'), JSON.stringify(settings));
}

const options = { screenshots: 'engines-', prepare: setNodePath };
journey('setting up engines in the workbench', options, step => {
  const command = 'LiGO: Set Up GPU Engine';

  step('Set Up GPU Engine shows every engine, and the machine', async ({ bench }) => {
    await bench.runCommand(command);
    const { quickInput } = bench;
    await quickInput.row('ONNX Runtime').waitFor();
    await bench.screenshot('1-engines');
    const rows = await quickInput.lines();
    assert.match(rows, /CPU.*ready/);
    for (const name of ['WebGPU', 'CUDA', 'TensorFlow.js (GPU)', 'TensorFlow.js (CPU)']) {
      assert.ok(rows.includes(name), `${name} in ${rows}`);
    }
  });

  step('Copy Report gives the same as text', async ({ bench }) => {
    await bench.quickInput.type('Copy Report');
    await bench.quickInput.focusedRow('Copy Report').waitFor();
    await bench.page.keyboard.press('Enter');
    await bench.notification('The report was copied.').waitFor();
    const text = await bench.page.evaluate<string>('navigator.clipboard.readText()');
    assert.match(text, /^processor .*\n/m);
    assert.match(text, /^auto takes: /m);
  });

  step('an installation that fails says what could not be had', async ({ bench, server }) => {
    npmThat('fails');
    await bench.runCommand(command);
    await bench.quickInput.step('Set Up GPU Engine');
    await bench.quickInput.type('Install TensorFlow.js (CPU)');
    await bench.quickInput.focusedRow('Install TensorFlow.js (CPU)').waitFor();
    await bench.page.keyboard.press('Enter');
    await bench
      .notification(/libtensorflow-cpu-2\.9\.1\.tar\.gz could not be downloaded/)
      .waitFor();
    await bench.screenshot('2-failed');
    assert.deepEqual(installed(server), []);
  });

  step('an installation is shown and can be cancelled', async ({ bench, server }) => {
    npmThat('hangs');
    await bench.runCommand(command);
    await bench.quickInput.step('Set Up GPU Engine');
    await bench.quickInput.type('Install TensorFlow.js (CPU)');
    await bench.quickInput.focusedRow('Install TensorFlow.js (CPU)').waitFor();
    await bench.page.keyboard.press('Enter');
    const progress = bench.notification('Downloading libtensorflow');
    await progress.waitFor();
    await bench.screenshot('3-installing');
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await bench.notification('nothing was left behind').waitFor();
    assert.deepEqual(installed(server), []);
  });

  step(
    'a TensorFlow to build with is chosen, trusted, and told when it is none',
    async ({ bench, server, workspace }) => {
      const wheel = workspace.path('tensorflow.whl');
      writeFileSync(wheel, 'no wheel');
      await bench.runCommand(command);
      const { quickInput } = bench;
      await quickInput.step('Set Up GPU Engine');
      await quickInput.type('Build with a TensorFlow');
      await quickInput.focusedRow('Build with a TensorFlow I Have').waitFor();
      await bench.page.keyboard.press('Enter');
      await quickInput.step('Build with a TensorFlow I Have');
      await quickInput.choose('A Wheel…');
      await quickInput.row('tensorflow.whl').waitFor();
      await quickInput.answer(wheel);
      const dialog = bench.page.getByRole('dialog', { name: /Build TensorFlow\.js with/ });
      await dialog.waitFor();
      assert.match(
        (await dialog.textContent()) ?? '',
        /tensorflow\.whl.*build only what you trust/s,
      );
      await bench.screenshot('6-trust');
      await dialog.getByRole('button', { name: 'Build' }).click();
      await bench.notification(/tensorflow\.whl cannot be read as a wheel/).waitFor();
      assert.deepEqual(installed(server), []);
    },
  );

  step('Test Every Engine takes steps and tells what came of it', async ({ bench }) => {
    await bench.runCommand(command);
    await bench.quickInput.step('Set Up GPU Engine');
    await bench.quickInput.type('Test Every Engine');
    await bench.quickInput.focusedRow('Test Every Engine').waitFor();
    await bench.page.keyboard.press('Enter');
    await bench.told(/CPU works: [\d.]+ ms a step/);
    await bench.screenshot('4-tested');
  });

  step('the plan of a growth says which engine is chosen and why', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'bert-kjv').waitFor();
    await bench.openContainer('Explorer');
    await bench.explorerRow('bert-kjv').click();
    await bench.openContextMenu(bench.explorerRow('model.safetensors'));
    await bench.chooseFromMenu('Grow Model…');
    await answerUpToPlan(bench, shortGrowth);
    const { quickInput } = bench;
    await quickInput.row('for 40 steps').waitFor();
    await quickInput.row(/\bEngine, .*(threads|on )/).waitFor();
    await bench.screenshot('5-plan');
    if (await quickInput.row('no GPU found').count()) {
      await quickInput.choose('Set Up GPU Engine…');
      await quickInput.step('Set Up GPU Engine');
      await bench.page.keyboard.press('Escape');
    }
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
