import assert from 'node:assert/strict';
import { copyFileSync, cpSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import type { TestWorkspace } from '../support/editor/workspace';

/** A file of each other format in a folder called as the format, and files that are called alike. */
function addOtherFormats(workspace: TestWorkspace): void {
  const copies = {
    torch: 'pytorch/gpt2',
    tensorflow: 'hdf5/bert',
    flax: 'flax/vit',
    browser: 'tfjs/bert',
    exported: 'onnx',
  };
  for (const [name, from] of Object.entries(copies)) {
    const folder = join(import.meta.dirname, '../fixtures/formats', from);
    cpSync(folder, workspace.path(name), {
      recursive: true,
      filter: path => !/\.safetensors$|make\.py$|external\.onnx$/.test(path),
    });
  }
  const gguf = join(import.meta.dirname, '../fixtures/formats/gguf/llama.gguf');
  copyFileSync(gguf, workspace.path('tiny-llama.gguf'));
  writeFileSync(workspace.path('firmware.bin'), Buffer.alloc(5000, 0xfe));
  writeFileSync(workspace.path('torch', 'optimizer.pt'), 'not looked at');
}

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

const formats = { screenshots: 'formats-', prepare: addOtherFormats };
journey('checkpoints of other formats in the workbench', formats, step => {
  step(
    'are found by what they hold, each with its sizes or why it cannot be grown',
    async ({ bench }) => {
      await bench.openContainer('LiGO');
      const facts = {
        torch: /gpt2 · \d+ × \d+ · .*F32/,
        tensorflow: /bert · \d+ × \d+/,
        flax: /vit · \d+ × \d+/,
        browser: /bert · \d+ × \d+/,
        'tiny-llama.gguf': /llama · \d+ × \d+/,
        'Not Supported': /1 checkpoint/,
        'model.onnx': /graph|cannot be grown/,
      };
      for (const [name, fact] of Object.entries(facts)) {
        await bench.treeRow('Checkpoints', name).filter({ hasText: fact }).waitFor();
      }
      for (const name of ['firmware.bin', 'optimizer.pt', 'group1-shard1of3.bin']) {
        assert.equal(await bench.treeRow('Checkpoints', name).count(), 0, name);
      }
      await bench.screenshot('1-tree');
    },
  );

  step('open in the inspector, with the tensors they hold', async ({ bench }) => {
    await bench.openContextMenu(bench.treeRow('Checkpoints', 'tiny-llama.gguf'));
    await bench.chooseFromMenu('Inspect Checkpoint');
    const page = await bench.webview('ligo-inspector');
    const name = 'model.layers.0.self_attn.q_proj.weight';
    await page.getByText(name, { exact: true }).first().waitFor();
    await bench.screenshot('2-gguf');
  });

  step('grow from a pickle that is never run', async ({ bench }) => {
    const labels = await bench.openContextMenu(bench.treeRow('Checkpoints', 'torch'));
    assert.ok(labels.includes('Grow Model…'), labels.join());
    await bench.chooseFromMenu('Grow Model…');
    await bench.quickInput.step('2/6');
    await bench.quickInput.row('Deeper and wider').waitFor();
    await bench.screenshot('3-target');
    await bench.page.keyboard.press('Escape');
    await bench.quickInput.isHidden();
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
