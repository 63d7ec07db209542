import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import { themes } from '../support/editor/settings';
import type { TestWorkspace } from '../support/editor/workspace';

const moved = 'transformer.h.1.mlp.c_fc.weight';

interface HeaderEntry {
  readonly data_offsets: readonly [number, number];
}

/** The example as it might be after some training: one of its matrices moved, the more the further down. */
function addTuned(workspace: TestWorkspace): void {
  cpSync(workspace.path('gpt2-kjv'), workspace.path('gpt2-tuned'), { recursive: true });
  const path = workspace.path('gpt2-tuned', 'model.safetensors');
  const file = readFileSync(path);
  const begin = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, begin)) as Record<string, HeaderEntry>;
  const [from, to] = header[moved]!.data_offsets;
  for (let at = from; at < to; at += 4) {
    const change = ((at - from) / (to - from)) * 0.02 * Math.sin(at);
    file.writeFloatLE(file.readFloatLE(begin + at) + change, begin + at);
  }
  writeFileSync(path, file);
}

const fileName = (theme: string): string => theme.toLowerCase().replaceAll(' ', '-');

journey('weights in the workbench', { screenshots: 'weights-', prepare: addTuned }, step => {
  step('two selected checkpoints are offered to be compared', async ({ bench }) => {
    await bench.openContainer('LiGO');
    const [first, second] = ['gpt2-kjv', 'gpt2-tuned'].map(name =>
      bench.treeRow('Checkpoints', name),
    );
    await second!.filter({ hasText: 'gpt2 · 3 × 64' }).waitFor();
    await first!.click();
    // The inspector comes and takes the focus, which would close a menu.
    await (await bench.webview('ligo-inspector')).getByRole('grid').waitFor();
    await second!.click({ modifiers: ['Control'] });
    const labels = await bench.openContextMenu(second!);
    await bench.screenshot('1-menu');
    assert.ok(labels.includes('Compare Weights of These Two'), labels.join());
    await bench.chooseFromMenu('Compare Weights of These Two');
  });

  step(
    'what differs is told tensor by tensor, with a picture of the difference',
    async ({ bench }) => {
      const page = await bench.webview('ligo-difference', 'gpt2-kjv → gpt2-tuned');
      await page.getByRole('textbox').fill('moved');
      await page.getByText('1 of 40').waitFor();
      await page.getByText(moved, { exact: true }).first().click();
      await page.locator('canvas').first().waitFor();
      await bench.screenshot('2-difference');
      await page.getByRole('textbox').fill('');
      for (const theme of themes) {
        await bench.chooseTheme(theme);
        const shown = await bench.webview('ligo-difference', 'gpt2-kjv → gpt2-tuned');
        await shown.locator('canvas').first().waitFor();
        await bench.screenshot(`3-${fileName(theme)}`);
      }
      await bench.chooseTheme('Dark Modern');
    },
  );

  step('one checkpoint is compared with another that is chosen', async ({ bench }) => {
    const labels = await bench.openContextMenu(bench.treeRow('Checkpoints', 'bert-kjv'));
    assert.ok(labels.includes('Compare Weights with…'), labels.join());
    assert.ok(labels.includes('Compare Growth Methods…'), labels.join());
    await bench.chooseFromMenu('Compare Weights with…');
    await bench.quickInput.row('vit-fmnist').waitFor();
    await bench.screenshot('4-with');
    await bench.quickInput.choose('vit-fmnist');
    const page = await bench.webview('ligo-difference', 'bert-kjv → vit-fmnist');
    await page.getByText('removed').first().waitFor();
    assert.equal(await page.getByText('Elements compared').count(), 0);
    await bench.screenshot('5-nothing-in-common');
  });

  step(
    'a tensor is exported from the inspector, with the bytes it has',
    async ({ bench, workspace }) => {
      await bench.treeRow('Checkpoints', 'gpt2-tuned').click();
      const page = await bench.webview('ligo-inspector', 'gpt2-tuned');
      await page.getByText(moved, { exact: true }).first().click();
      await page.getByRole('button', { name: /Export/ }).click();
      // The dialog has a name ready once it lists the folder.
      await bench.quickInput.row('gpt2-tuned').waitFor();
      await bench.screenshot('6-export');
      await bench.quickInput.accept();
      await bench.told(`${moved}.npy was written.`);
      await bench.screenshot('7-exported');
      const to = workspace.path(`${moved}.npy`);
      const written = readFileSync(to);
      const file = readFileSync(join(workspace.path('gpt2-tuned'), 'model.safetensors'));
      const begin = 8 + Number(file.readBigUInt64LE(0));
      const header = JSON.parse(file.toString('utf8', 8, begin)) as Record<string, HeaderEntry>;
      const [from, end] = header[moved]!.data_offsets;
      assert.ok(written.subarray(128).equals(file.subarray(begin + from, begin + end)));
    },
  );

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
