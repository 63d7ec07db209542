import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { api } from './support';

suite('the tools for language models', () => {
  test('tell what a checkpoint is, by its path in the workspace', async () => {
    await api();
    const tool = vscode.lm.tools.find(({ name }) => name === 'ligo_inspect_checkpoint');
    assert.ok(tool, 'the tool is registered');
    const result = await vscode.lm.invokeTool('ligo_inspect_checkpoint', {
      input: { path: 'gpt2-kjv' },
      toolInvocationToken: undefined,
    });
    const [part] = result.content;
    assert.ok(part instanceof vscode.LanguageModelTextPart);
    const told = JSON.parse(part.value) as Record<string, unknown>;
    assert.equal(told['Class'], 'GPT2LMHeadModel');
    assert.equal(told['Parameters'], '223,808');
  });

  test('tell a model why a file is no checkpoint', async () => {
    await api();
    await assert.rejects(
      Promise.resolve(
        vscode.lm.invokeTool('ligo_inspect_checkpoint', {
          input: { path: 'kjv.txt' },
          toolInvocationToken: undefined,
        }),
      ),
      /text file, not a checkpoint/,
    );
  });
});
