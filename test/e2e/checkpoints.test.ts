import assert from 'node:assert/strict';
import { copyFileSync, truncateSync } from 'node:fs';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import type { TestWorkspace } from '../support/editor/workspace';

function addBrokenCheckpoint(workspace: TestWorkspace): void {
  const broken = workspace.path('broken.safetensors');
  copyFileSync(workspace.path('vit-fmnist', 'model.safetensors'), broken);
  truncateSync(broken, 100_000);
}

const options = { screenshots: 'checkpoints-', prepare: addBrokenCheckpoint };
journey('checkpoints in the workbench', options, step => {
  step(
    'the Checkpoints view shows every checkpoint with its sizes, and what cannot be read',
    async ({ bench }) => {
      await bench.openContainer('LiGO');
      const facts = {
        'bert-kjv': /bert · 3 × 64 · 229 K · F32/,
        'gpt2-kjv': /gpt2 · 3 × 64 · 224 K · F32/,
        'llama-kjv': /llama · 3 × 64 · 202 K · F32/,
        'vit-fmnist': /vit · 3 × 48 · 89 K · F32/,
        Damaged: /1 checkpoint/,
        'broken.safetensors': /truncated|cut off|incomplete|no safetensors/,
      };
      for (const [name, fact] of Object.entries(facts)) {
        await bench.treeRow('Checkpoints', name).filter({ hasText: fact }).waitFor();
      }
      await bench.screenshot('1-tree');
    },
  );

  step(
    'Grow Model is offered on a checkpoint and its folder, and not on other files',
    async ({ bench }) => {
      await bench.openContainer('Explorer');
      await bench.explorerRow('bert-kjv').click();
      const menuOf = async (name: string): Promise<string[]> => {
        const labels = await bench.openContextMenu(bench.explorerRow(name));
        await bench.screenshot(`2-menu-${name}`);
        await bench.closeMenu();
        return labels.filter(label => /Grow Model|Inspect Checkpoint/.test(label));
      };
      assert.deepEqual(await menuOf('model.safetensors'), ['Grow Model…', 'Inspect Checkpoint']);
      assert.ok((await menuOf('bert-kjv')).includes('Grow Model…'));
      assert.deepEqual(await menuOf('kjv.txt'), []);
      assert.deepEqual(await menuOf('fashion-mnist'), []);
    },
  );

  step(
    'Inspect Checkpoint opens the table of tensors, and pictures of one on demand',
    async ({ bench }) => {
      await bench.openContextMenu(bench.explorerRow('model.safetensors'));
      await bench.chooseFromMenu('Inspect Checkpoint');
      const page = await bench.webview('ligo-inspector');
      const name = 'bert.encoder.layer.0.attention.self.query.weight';
      const row = page.getByText(name, { exact: true }).first();
      await row.waitFor();
      await bench.screenshot('3-inspector');
      await row.click();
      await page.locator('canvas').first().waitFor();
      await bench.screenshot('4-inspector-tensor');
    },
  );

  step('a file that was cut short says so', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'broken.safetensors').click();
    const page = await bench.webview('ligo-inspector', /broken/);
    await page.getByText(/truncated|cut short|ends before|shorter|incomplete/i).waitFor();
    await bench.screenshot('5-corrupt');
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
