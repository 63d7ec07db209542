import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { exampleModels } from './support';

suite('the extension host', () => {
  test('is a real VS Code with a workspace', () => {
    assert.match(vscode.version, /^1\.\d+\.\d+$/);
    assert.equal(vscode.workspace.workspaceFolders?.length, 1);
  });

  test('sends no telemetry', () => {
    assert.equal(vscode.env.isTelemetryEnabled, false);
  });

  test('finds the checkpoints of the workspace', async () => {
    const found = await vscode.workspace.findFiles('**/*.safetensors');
    assert.equal(found.length, exampleModels.length);
  });
});
