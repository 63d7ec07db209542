import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { exists } from '../../../src/host/runs/runFolder';
import { api, until, workspaceFolder } from './support';

suite('a conversion', () => {
  const out = (): string => join(workspaceFolder(), 'gpt2-kjv-safetensors');

  suiteTeardown(() => rm(out(), { recursive: true, force: true }));

  test('is a command, in the palette and wherever checkpoints are inspected', async () => {
    await api();
    assert.ok((await vscode.commands.getCommands(true)).includes('ligo.convertCheckpoint'));
    const { menus } = vscode.extensions.getExtension('ligo-grow.ligo-grow')!.packageJSON
      .contributes as { menus: Record<string, { command: string; when: string }[]> };
    for (const menu of ['commandPalette', 'explorer/context', 'view/item/context']) {
      const whens = (command: string): string[] =>
        menus[menu]!.flatMap(item => (item.command === command ? [item.when] : []));
      assert.deepEqual(whens('ligo.convertCheckpoint'), whens('ligo.inspectCheckpoint'), menu);
    }
  });

  test('asks for a format and a place, and leaves the checkpoint with its receipt there', async () => {
    const checkpoint = vscode.Uri.file(join(workspaceFolder(), 'gpt2-kjv'));
    const asked = vscode.commands.executeCommand('ligo.convertCheckpoint', checkpoint);
    await until('the result is there', async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return exists(join(out(), 'conversion.json'));
    });
    await asked;
    const receipt = await readFile(join(out(), 'conversion.json'), 'utf8');
    assert.match(receipt, /"format": "safetensors"/);
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) {
      assert.ok(await exists(join(out(), name)), name);
    }
    await vscode.commands.executeCommand('notifications.clearAll');
  });
});
