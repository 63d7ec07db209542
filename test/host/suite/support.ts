import * as vscode from 'vscode';
import type { ExtensionApi } from '../../../src/host/commands/api';

/** Our extension, activated. */
export async function api(): Promise<ExtensionApi> {
  const extension = vscode.extensions.getExtension<ExtensionApi>('ligo-grow.ligo-grow');
  if (!extension) throw new Error('the extension is not installed');
  return extension.activate();
}

/** The folder that is open. */
export const workspaceFolder = (): string => vscode.workspace.workspaceFolders![0]!.uri.fsPath;

/** The models among the examples, by the names of their folders. */
export const exampleModels = ['bert-kjv', 'gpt2-kjv', 'llama-kjv', 'vit-fmnist'] as const;

/** Waits until something holds; fails with what it was waiting for. */
export async function until(what: string, holds: () => unknown, seconds = 120): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
