import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { comparisonChoices, planChoices } from '../../../src/host/planPreview';
import { Dialogs } from './dialogs';
import { api, until, workspaceFolder } from './support';

/** BERT normalises sums, and 96 is no multiple of this one's 64 hidden units. */
const bert = (): vscode.Uri => vscode.Uri.file(join(workspaceFolder(), 'bert-kjv'));
const wider = '$(arrow-up) Wider';
const lemon = '$(circle-slash) Lossless (LEMON)';

suite('a method that cannot make the growth', () => {
  let dialogs: Dialogs;

  suiteSetup(async () => {
    await api();
    dialogs = new Dialogs();
  });
  suiteTeardown(() => dialogs.dispose());

  function assertRefused({ description, detail }: vscode.QuickPickItem): void {
    assert.equal(description, 'not possible here');
    assert.match(detail!, /96 is no multiple of 64/);
    assert.match(detail!, /Grow to 128 hidden units, or use another method\.$/);
  }

  test('tells why and what to do, and Enter does not choose it', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, wider);
    await dialogs.choose(3, '$(circle-slash) No data');
    assertRefused(await dialogs.line(4, lemon));
    await dialogs.choose(4, lemon);
    await dialogs.choose(4, 'Net2Net (FPI)');
    const start = await dialogs.line(6, '$(play) Start Growing');
    assert.equal(start.description, 'bert-kjv-grown-3x96');
    await dialogs.leave();
    await asked;
  });

  test('that learns cannot be chosen without data either', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, wider);
    await dialogs.choose(3, '$(circle-slash) No data');
    const { detail } = await dialogs.line(4, '$(circle-slash) LiGO');
    assert.equal(detail, 'Not possible without data.');
    await dialogs.leave();
    await asked;
  });

  test('tells the same when methods are compared, and stays out when it is picked', async () => {
    const asked = vscode.commands.executeCommand('ligo.compareMethods', bert());
    await dialogs.choose(2, wider);
    await dialogs.choose(3, '$(file-text) kjv.txt');
    const line = await dialogs.line(4, lemon);
    assertRefused(line);
    const list = await dialogs.list(4);
    const usual = list.selectedItems.map(({ label }) => label);
    list.selectedItems = [...list.selectedItems, line];
    await until('it is out again', () => !list.selectedItems.includes(line));
    assert.deepEqual(
      list.selectedItems.map(({ label }) => label),
      usual,
    );
    await dialogs.leave();
    await asked;
  });
});

suite('the length of sequences', () => {
  const lengthLine = '$(edit) Sequence Length…';
  const out = (): string => join(workspaceFolder(), 'bert-kjv-grown-3x96');
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

  /** It stands among the files, or among what was used before. */
  async function chooseText(): Promise<void> {
    const { items } = await dialogs.list(3);
    await dialogs.choose(3, items.find(({ label }) => label.endsWith(' kjv.txt'))!.label);
  }

  async function shorten(step: number): Promise<void> {
    assert.equal((await dialogs.line(step, lengthLine)).description, '128 tokens');
    await dialogs.choose(step, lengthLine);
    for (const wrong of ['129', '1', 'many']) {
      assert.equal(await dialogs.type(step, wrong), 'Type a whole number from 2 to 128.');
    }
    assert.equal(await dialogs.type(step, '64'), undefined);
    assert.equal((await dialogs.line(step, lengthLine)).description, '64 tokens');
  }

  test('is changed in the plan of a growth, which grows with it', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, wider);
    await chooseText();
    await dialogs.choose(4, 'Net2Net (FPI)');
    await shorten(6);
    assert.equal((await dialogs.line(6, '$(edit) Batch…')).description, '16 sequences in a step');
    await dialogs.choose(6, '$(play) Start Growing');
    await asked;
    const service = await (await api()).runs();
    const [run] = service.list();
    assert.deepEqual(run!.request.data, {
      ...{ path: join(workspaceFolder(), 'kjv.txt'), batchSize: 16, sequenceLength: 64 },
    });
    await until('the growth has ended', () => run!.ended, 60);
    assert.equal(run!.failure, undefined);
    // Of 128 tokens, for which it has positions, it was trained on 64.
    assert.ok(!run!.warnings.some(warning => /position/.test(warning)), run!.warnings.join());
  });

  test('is changed in the plan of a comparison, which computes less then', async () => {
    const asked = vscode.commands.executeCommand('ligo.compareMethods', bert());
    await dialogs.choose(2, wider);
    await chooseText();
    await dialogs.list(4);
    await dialogs.enter();
    for (const step of [5, 6, 7]) {
      assert.equal(await dialogs.type(step, '2'), undefined);
    }
    const computation = async () => (await dialogs.line(8, '$(dashboard) Computation')).description;
    const before = await computation();
    await shorten(8);
    assert.notEqual(await computation(), before);
    await dialogs.leave();
    await asked;
  });

  test('is not asked for where nothing is read', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, wider);
    await dialogs.choose(3, '$(circle-slash) No data');
    await dialogs.choose(4, 'Net2Net (FPI)');
    const { items } = await dialogs.list(6);
    assert.ok(!items.some(({ label }) => label.startsWith('$(edit)')));
    await dialogs.leave();
    await asked;
  });
});

test('a plan that is refused offers nothing but its reasons with their remedies', () => {
  const size = { family: 'bert', modelClass: 'BertForMaskedLM', layers: 3, hidden: 64 };
  const model = { ...size, heads: 4, ffn: 256, parameters: 229_248 };
  const refusal = { reason: '70 hidden units are no whole heads.', remedy: 'Take 64 or 80.' };
  const plan = {
    ...{ source: model, target: model, operators: { count: 0, width: 0, depth: 0 } },
    ...{ refusals: [refusal], ignored: [], diskBytes: 400 },
  };
  const facts = { out: '/out', sizes: {}, methods: 2, seeds: 1, steps: 4 };
  for (const lines of [
    planChoices(plan, { out: '/out', sizes: {} }),
    comparisonChoices({ growth: plan, runs: 2 }, facts),
  ]) {
    assert.deepEqual(
      lines.map(({ description, detail, value }) => ({ description, detail, value })),
      [{ description: refusal.reason, detail: refusal.remedy, value: undefined }],
    );
  }
});
