import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { api, until } from './support';

const snapshot = (): string =>
  join(
    process.env['HF_HUB_CACHE']!,
    ...['models--owner--tiny', 'snapshots', '0123456789abcdef0123456789abcdef01234567'],
  );

suite('a model on the Hugging Face Hub', () => {
  const ask = vscode.window.showInformationMessage;
  const shown: string[] = [];

  teardown(async () => {
    vscode.window.showInformationMessage = ask;
    shown.length = 0;
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  /** Answers the question whether it shall be fetched. */
  function answer(word: string | undefined): void {
    const replace = (message: string, ...rest: unknown[]): Thenable<unknown> => {
      const [options] = rest as [vscode.MessageOptions | undefined];
      const isQuestion = typeof options === 'object' && options.modal === true;
      shown.push(isQuestion ? `${message} ${options.detail ?? ''}` : message);
      return Promise.resolve(isQuestion ? word : undefined);
    };
    vscode.window.showInformationMessage = replace as typeof ask;
  }

  const open = (name: string): Thenable<string | undefined> =>
    vscode.commands.executeCommand('ligo.openFromHub', name);

  test('is not fetched where a person says no to its size', async () => {
    await api();
    answer(undefined);
    assert.equal(await open('owner/tiny'), undefined);
    assert.match(shown[0] ?? '', /^Fetch hf:\/\/owner\/tiny\? 5 files, 954 kB, into /);
    assert.ok(!existsSync(snapshot()));
  });

  test('is fetched where they agree, and looked into', async () => {
    await api();
    answer('Fetch');
    const path = await open('owner/tiny');
    assert.equal(path, join(snapshot(), 'model.safetensors'));
    await until('the inspector is open', () =>
      vscode.window.tabGroups.all.some(({ tabs }) =>
        tabs.some(
          ({ input }) => input instanceof vscode.TabInputCustom && input.uri.fsPath === path,
        ),
      ),
    );
  });
});
