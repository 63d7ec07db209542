import { homedir } from 'node:os';
import * as vscode from 'vscode';

/** Where results go whose checkpoint lies where nothing should be put beside it. */
export const outputHome = (): string =>
  vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? homedir();
