import assert from 'node:assert/strict';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import manifest from '../../../package.json';
import { isGroup } from '../../../src/host/checkpoints/checkpointGroups';
import type { Checkpoints } from '../../../src/host/checkpoints/checkpoints';
import { api, exampleModels, until, workspaceFolder } from './support';

/** The headings in the tree, each with how many checkpoints are below it. */
const headings = ({ rows }: Checkpoints): string[] =>
  rows.flatMap(row => (isGroup(row) ? [`${row.group} ${row.count}`] : []));

suite('the extension', () => {
  test('activates within 50 ms', async () => {
    const { activationMilliseconds } = await api();
    assert.ok(activationMilliseconds < 50, `it took ${activationMilliseconds} ms`);
  });

  test('loads no numeric code into the extension host', async () => {
    await api();
    const numeric = /onnxruntime|sharp|protobuf|tokenizers|dist[/\\](chunks|worker|cli)/;
    const loaded = Object.keys(require.cache).filter(path => numeric.test(path));
    assert.deepEqual(loaded, []);
  });

  test('registers every command it contributes', async () => {
    await api();
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = manifest.contributes.commands.filter(({ command }) => !registered.has(command));
    assert.deepEqual(missing, []);
  });

  test('finds the example checkpoints in the workspace', async () => {
    const { checkpoints } = await api();
    await until('the examples are found', () =>
      exampleModels.every(name => checkpoints.models.some(({ label }) => label === name)),
    );
    const gpt2 = checkpoints.models.find(({ label }) => label === 'gpt2-kjv');
    assert.equal(gpt2?.summary?.model?.layers, 3);
    assert.equal(gpt2.summary.model.hidden, 64);
  });

  test('shows a damaged checkpoint with its message, and forgets a removed one', async () => {
    const { checkpoints } = await api();
    const folder = vscode.Uri.file(`${workspaceFolder()}/damaged`);
    const file = vscode.Uri.joinPath(folder, 'model.safetensors');
    await vscode.workspace.fs.writeFile(file, Buffer.from('\x10\0\0\0\0\0\0\0{"a":'));
    const found = () => checkpoints.tree.find(({ path }) => path === file.fsPath);
    await until('the damaged file is found', found);
    assert.match(found()?.failure?.message ?? '', /truncated|no safetensors/);
    assert.deepEqual(headings(checkpoints), ['damaged 1']);
    await vscode.workspace.fs.delete(folder, { recursive: true });
    await until('the damaged file is forgotten', () => !found());
    assert.deepEqual(headings(checkpoints), []);
  });

  test('hides what is half-written, and names what a stopped run set aside', async () => {
    const { checkpoints } = await api();
    const source = join(workspaceFolder(), 'gpt2-kjv');
    // No process has an id beyond what systems give.
    const folderOf = (kind: string): string =>
      join(workspaceFolder(), `.ligo-00000000-11111111-999999999-22222222.${kind}`);
    for (const kind of ['partial', 'replaced']) {
      await mkdir(folderOf(kind));
      for (const name of ['config.json', 'model.safetensors']) {
        await copyFile(join(source, name), join(folderOf(kind), name));
      }
    }
    await until('what was set aside is found', () => headings(checkpoints).length > 0);
    assert.deepEqual(headings(checkpoints), ['setAside 1']);
    assert.equal(checkpoints.models.length, exampleModels.length);
    for (const kind of ['partial', 'replaced']) await rm(folderOf(kind), { recursive: true });
    await until('it is forgotten', () => headings(checkpoints).length === 0);
  });
});
