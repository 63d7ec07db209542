import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { tickStep } from '../walkthrough';

/** Copies the example that comes with the extension to where a person likes, and opens it. */
export async function openExample(extension: vscode.Uri): Promise<void> {
  const [parent] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.file(homedir()),
      openLabel: vscode.l10n.t('Put the Example Here'),
    })) ?? [];
  if (!parent) return;
  const target = vscode.Uri.joinPath(parent, 'ligo-example');
  const examples = vscode.Uri.joinPath(extension, 'examples');
  for (const name of ['gpt2-kjv', 'kjv.txt']) {
    await vscode.workspace.fs.copy(
      vscode.Uri.joinPath(examples, name),
      vscode.Uri.joinPath(target, name),
      { overwrite: true },
    );
  }
  await tickStep('example');
  await vscode.commands.executeCommand('vscode.openFolder', target, { forceNewWindow: true });
}
