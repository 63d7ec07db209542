import { join } from 'node:path';
import * as vscode from 'vscode';
import { api, until, workspaceFolder } from './support';

const openEditors = (): unknown[] =>
  vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ input }) => input));

suite('the inspector', () => {
  suiteTeardown(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  test('opens for a checkpoint by command and by opening the file', async () => {
    await api();
    const isInspector = (input: unknown): boolean =>
      input instanceof vscode.TabInputCustom && input.viewType === 'ligo.inspector';
    const path = (name: string): string => join(workspaceFolder(), name, 'model.safetensors');
    await vscode.commands.executeCommand(
      'ligo.inspectCheckpoint',
      vscode.Uri.file(path('gpt2-kjv')),
    );
    await until('it is open', () => openEditors().filter(isInspector).length === 1);
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(path('bert-kjv')));
    await until('it is open', () => openEditors().some(isInspector));
  });

  test('opens for a folder that holds a checkpoint', async () => {
    await vscode.commands.executeCommand(
      'ligo.inspectCheckpoint',
      vscode.Uri.file(join(workspaceFolder(), 'vit-fmnist')),
    );
    await until('it is open', () =>
      openEditors().some(
        input => input instanceof vscode.TabInputCustom && input.uri.fsPath.includes('vit-fmnist'),
      ),
    );
  });
});
