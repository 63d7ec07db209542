import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { toldDetail } from '../../../src/protocol/runViews';
import { Dialogs } from './dialogs';
import { api, until, workspaceFolder } from './support';

suite('a training', () => {
  const gpt2 = (): vscode.Uri => vscode.Uri.file(join(workspaceFolder(), 'gpt2-kjv'));
  const out = (): string => join(workspaceFolder(), 'gpt2-kjv-trained');
  let dialogs: Dialogs;

  suiteSetup(async () => {
    await api();
    dialogs = new Dialogs();
  });
  suiteTeardown(async () => {
    dialogs.dispose();
    const service = await (await api()).runs();
    for (const { request } of service.list()) await service.remove(request.id);
    await rm(out(), { recursive: true, force: true });
  });

  async function chooseText(): Promise<void> {
    const { items } = await dialogs.list(2);
    assert.ok(!items.some(({ label }) => label.includes('No data')));
    await dialogs.chooseText(2);
  }

  test('is a command, in the palette and beside Grow Model', async () => {
    assert.ok((await vscode.commands.getCommands(true)).includes('ligo.trainModel'));
    const { menus } = vscode.extensions.getExtension('ligo-grow.ligo-grow')!.packageJSON
      .contributes as { menus: Record<string, { command: string; when: string }[]> };
    for (const menu of ['commandPalette', 'explorer/context', 'view/item/context']) {
      const whens = (command: string): string[] =>
        menus[menu]!.flatMap(item => (item.command === command ? [item.when] : []));
      const [when] = whens('ligo.trainModel');
      assert.ok(when !== undefined && whens('ligo.growModel').includes(when), menu);
    }
  });

  test('is planned with all that can be changed, and copied as a command that says it', async () => {
    const asked = vscode.commands.executeCommand('ligo.trainModel', gpt2());
    await chooseText();
    await dialogs.choose(3, '$(edit) Steps…');
    assert.match((await dialogs.type(3, '0'))!, /^Type a whole number from 1/);
    assert.equal(await dialogs.type(3, '40'), undefined);
    assert.equal(
      (await dialogs.line(3, '$(edit) Learning Rate…')).description,
      '0.0001, a tenth of the one at which models of its size are trained',
    );
    await dialogs.choose(3, '$(edit) Learning Rate…');
    assert.match((await dialogs.type(3, '0'))!, /above 0/);
    assert.equal(await dialogs.type(3, '2e-3'), undefined);
    await dialogs.choose(3, '$(edit) Schedule…');
    await dialogs.choose(3, 'linear: down to 0 in a line');
    const evaluated = async () => (await dialogs.line(3, '$(edit) Evaluate…')).description;
    assert.equal(await evaluated(), 'on held-out data, every 2 steps');
    await dialogs.choose(3, '$(edit) Evaluate…');
    assert.equal(await dialogs.type(3, '0'), undefined);
    assert.equal(await evaluated(), 'on held-out data before and after');
    await dialogs.choose(3, '$(settings) More…');
    await dialogs.choose(3, '$(edit) Warm-Up…');
    assert.equal(await dialogs.type(3, '3'), undefined);
    await dialogs.choose(3, '$(edit) Token Drop…');
    assert.equal(await dialogs.type(3, '0.25'), undefined);
    await dialogs.choose(3, '$(check) Back to the Plan');
    await dialogs.choose(3, '$(terminal) Copy as ligo Command');
    await dialogs.line(3, '$(play) Start Training');
    const command = await vscode.env.clipboard.readText();
    assert.match(command, /^ligo train \S*gpt2-kjv\S* --data \S*kjv\.txt --batch 16/);
    assert.match(command, /--steps 40 --learning-rate 0\.002 --schedule linear --warmup 3/);
    assert.match(command, /--token-drop 0\.25/);
    assert.doesNotMatch(command, /evaluate-every/);
    assert.match(command, /--seed 0 --engine \w+ .*--out \S*gpt2-kjv-trained$/);
    await dialogs.leave();
    await asked;
  });

  test('that cannot be is refused in the plan, with what would help', async () => {
    const asked = vscode.commands.executeCommand('ligo.trainModel', gpt2());
    await chooseText();
    await dialogs.choose(3, '$(settings) More…');
    await dialogs.choose(3, '$(edit) Sub-Network Steps…');
    assert.equal(await dialogs.type(3, '500'), undefined);
    await dialogs.choose(3, '$(check) Back to the Plan');
    const { description, detail } = await dialogs.line(3, '$(error) This cannot be trained');
    assert.match(description!, /leaves none for the whole/);
    assert.match(detail!, /Sub-Network Steps… under More…/);
    await dialogs.leave();
    await asked;
  });

  test('runs in a process of its own, with its curves and its receipt', async () => {
    const { startTraining, runs } = await api();
    const id = await startTraining({
      checkpoint: join(gpt2().fsPath, 'model.safetensors'),
      data: { path: join(workspaceFolder(), 'kjv.txt'), batchSize: 2, sequenceLength: 16 },
      out: out(),
      steps: 4,
      evaluateEvery: 2,
      title: 'trained',
    });
    const service = await runs();
    await until('the training has ended', () => service.get(id)?.ended, 120);
    const record = service.get(id)!;
    assert.equal(record.failure, undefined);
    const { curve, evaluations, training } = toldDetail(record.state);
    assert.deepEqual(curve.steps, [1, 2, 3, 4]);
    assert.equal(curve.rates?.length, 4);
    assert.deepEqual(
      evaluations.map(({ model, step }) => `${model} ${step}`),
      ['before 0', 'training 2', 'training 4', 'after 4'],
    );
    const receipt = JSON.parse(await readFile(join(out(), 'training.json'), 'utf8')) as {
      after: object;
    };
    assert.deepEqual(training?.after, receipt.after);
    await vscode.commands.executeCommand('ligo.openReceipt', out());
    await until('the receipt is open', () =>
      vscode.window.activeTextEditor?.document.fileName.endsWith('training.json'),
    );
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
