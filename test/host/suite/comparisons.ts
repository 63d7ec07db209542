import { comparisonDetail } from '../../../src/protocol/comparisonState';
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { api, until, workspaceFolder } from './support';

suite('a comparison', () => {
  const out = (): string => join(workspaceFolder(), 'compared');

  suiteTeardown(async () => {
    const service = await (await api()).runs();
    for (const { request } of service.list()) await service.remove(request.id);
    await rm(out(), { recursive: true, force: true });
  });

  test('is a command, in the palette and beside Grow Model', async () => {
    await api();
    assert.ok((await vscode.commands.getCommands(true)).includes('ligo.compareMethods'));
    const { menus } = vscode.extensions.getExtension('ligo-grow.ligo-grow')!.packageJSON
      .contributes as { menus: Record<string, { command: string; when: string }[]> };
    for (const menu of ['commandPalette', 'explorer/context', 'view/item/context']) {
      const whens = (command: string): string[] =>
        menus[menu]!.flatMap(item => (item.command === command ? [item.when] : []));
      const [when] = whens('ligo.compareMethods');
      assert.ok(when !== undefined && whens('ligo.growModel').includes(when), menu);
    }
  });

  test('runs in a process of its own, and its report opens in the editor', async () => {
    const { startComparison, runs } = await api();
    const id = await startComparison({
      checkpoint: join(workspaceFolder(), 'gpt2-kjv', 'model.safetensors'),
      target: { layers: 4 },
      methods: ['random', 'stack'],
      data: { path: join(workspaceFolder(), 'kjv.txt'), batchSize: 2, sequenceLength: 16 },
      out: out(),
      steps: 4,
      evaluateEvery: 2,
      title: 'compared',
    });
    const service = await runs();
    await until('the comparison has ended', () => service.get(id)?.ended, 60);
    const record = service.get(id)!;
    assert.equal(record.failure, undefined);
    assert.deepEqual(
      comparisonDetail(record.state.comparison!).runs.map(({ method, state, curve }) => [
        method,
        state,
        curve.map(({ step }) => step),
      ]),
      [
        ['random', 'finished', [0, 2, 4]],
        ['stack', 'finished', [0, 2, 4]],
      ],
    );
    assert.match(await readFile(join(out(), 'report.json'), 'utf8'), /"stack"/);
    await vscode.commands.executeCommand('ligo.openReport', id);
    const isOpen = (): boolean =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .some(({ label }) => label === 'Report: compared');
    await until('the report is open', isOpen);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
