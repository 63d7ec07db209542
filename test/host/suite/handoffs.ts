import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { exists } from '../../../src/host/runs/runFolder';
import { Dialogs } from './dialogs';
import { api, until, workspaceFolder } from './support';

suite('going on in PyTorch', () => {
  const gpt2 = (): vscode.Uri => vscode.Uri.file(join(workspaceFolder(), 'gpt2-kjv'));
  const out = (): string => join(workspaceFolder(), 'gpt2-kjv-pytorch');
  const trained = (): string => join(workspaceFolder(), 'gpt2-kjv-trained-before');
  let dialogs: Dialogs;

  suiteSetup(async () => {
    await api();
    dialogs = new Dialogs();
  });
  suiteTeardown(async () => {
    dialogs.dispose();
    for (const folder of [out(), trained()]) {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('is a command, in the palette and wherever checkpoints are trained', async () => {
    assert.ok((await vscode.commands.getCommands(true)).includes('ligo.handoff'));
    const { menus } = vscode.extensions.getExtension('ligo-grow.ligo-grow')!.packageJSON
      .contributes as { menus: Record<string, { command: string; when: string }[]> };
    for (const menu of ['commandPalette', 'explorer/context', 'view/item/context']) {
      const whens = (command: string): string[] =>
        menus[menu]!.flatMap(item => (item.command === command ? [item.when] : []));
      assert.deepEqual(whens('ligo.handoff'), whens('ligo.trainModel'), menu);
    }
  });

  test('asks where, for data and in a plan for all that no receipt says, and tells the command', async () => {
    const asked = vscode.commands.executeCommand('ligo.handoff', gpt2());
    const { items } = await dialogs.list(2);
    const names = items.map(({ label }) => label);
    assert.deepEqual(names, ['torchrun', 'Accelerate', 'Slurm', 'SkyPilot', 'Kubernetes']);
    assert.ok(items.every(({ description }) => description));
    await dialogs.choose(2, 'Slurm');
    await dialogs.chooseText(3);
    await dialogs.choose(4, '$(edit) Steps…');
    assert.equal(await dialogs.type(4, '20'), undefined);
    await dialogs.choose(4, '$(edit) Sequence Length…');
    assert.equal(await dialogs.type(4, '16'), undefined);
    await dialogs.choose(4, '$(edit) Lines…');
    await dialogs.choose(4, 'joined by the end-of-text token');
    await dialogs.choose(4, '$(edit) GPUs…');
    assert.match((await dialogs.type(4, '0'))!, /whole number/);
    assert.equal(await dialogs.type(4, '2'), undefined);
    await dialogs.choose(4, '$(edit) Time Limit…');
    assert.match((await dialogs.type(4, 'soon'))!, /does not take/);
    assert.equal(await dialogs.type(4, '8:00:00'), undefined);
    await dialogs.choose(4, '$(terminal) Copy as ligo Command');
    await dialogs.line(4, '$(play) Write Project');
    const command = await vscode.env.clipboard.readText();
    assert.match(command, /^ligo handoff \S*gpt2-kjv\S* --to slurm --data \S*kjv\.txt --batch 16/);
    assert.match(command, /--sequence-length 16 --line-separator eos --steps 20/);
    assert.match(command, /--gpus 2 --nodes 1 --gpu-memory 80GB --time 8:00:00/);
    assert.match(command, /--out \S*gpt2-kjv-pytorch$/);
    await dialogs.choose(4, '$(play) Write Project');
    await asked;
    assert.ok(vscode.window.activeTextEditor?.document.fileName.endsWith('README.md'));
    const job = await readFile(join(out(), 'train.sbatch'), 'utf8');
    assert.match(job, /--gpus-per-node=2\n#SBATCH --time=8:00:00/);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  test('presets what the receipt says, and leaves that to it', async () => {
    await cp(gpt2().fsPath, trained(), { recursive: true });
    const data = join(workspaceFolder(), 'kjv.txt');
    await writeFile(
      join(trained(), 'growth.json'),
      JSON.stringify({
        seed: 7,
        data: {
          path: data,
          sha256: 'another',
          batches: { size: 4, sequenceLength: 16, heldOut: 2, lineSeparator: 'none' },
        },
      }),
    );
    const asked = vscode.commands.executeCommand('ligo.handoff', vscode.Uri.file(trained()));
    await dialogs.choose(2, 'torchrun');
    const { items } = await dialogs.list(3);
    assert.equal(items[0]!.label, 'as in growth.json');
    assert.equal(items[1]!.label, '$(output) kjv.txt');
    await dialogs.choose(3, '$(output) kjv.txt');
    assert.equal((await dialogs.line(4, '$(edit) Batch…')).description, '4 sequences in a step');
    assert.equal((await dialogs.line(4, '$(output) Receipt')).description, 'growth.json');
    const labels = (await dialogs.list(4)).items.map(({ label }) => label);
    assert.ok(!labels.some(label => /Lines|Partition/.test(label)), labels.join());
    await dialogs.choose(4, '$(terminal) Copy as ligo Command');
    await dialogs.line(4, '$(play) Write Project');
    assert.doesNotMatch(await vscode.env.clipboard.readText(), /--batch|--sequence-length|--line/);
    await dialogs.leave();
    await asked;
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  test('refuses what cannot be divided, in the words of its plan, and writes nothing', async () => {
    await rm(out(), { recursive: true, force: true });
    const told: string[] = [];
    const { showErrorMessage } = vscode.window;
    vscode.window.showErrorMessage = ((text: string) => {
      told.push(text);
      return Promise.resolve(undefined);
    }) as typeof showErrorMessage;
    try {
      const asked = vscode.commands.executeCommand('ligo.handoff', gpt2());
      await dialogs.choose(2, 'torchrun');
      await dialogs.chooseText(3);
      await dialogs.choose(4, '$(edit) GPUs…');
      assert.equal(await dialogs.type(4, '3'), undefined);
      await dialogs.choose(4, '$(play) Write Project');
      await asked;
      await until('it is told', () => told.length > 0);
    } finally {
      vscode.window.showErrorMessage = showErrorMessage;
    }
    assert.match(told[0]!, /16 cannot be divided evenly among 3 GPUs/);
    assert.match(told[0]!, /set Batch to 18 in the plan/);
    assert.equal(await exists(out()), false);
  });
});
