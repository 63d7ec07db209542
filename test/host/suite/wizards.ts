import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { comparisonChoices, planChoices } from '../../../src/host/wizard/planPreview';
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
    await dialogs.chooseText(3);
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

  /** Of 128 tokens, for which it has positions, it was trained on 64. */
  async function assertSuited(step: number): Promise<void> {
    const { description, detail } = await dialogs.line(step, lengthLine);
    assert.equal(description, '64 tokens');
    assert.match(detail!, /^Suits the model: .* from position 64 on/);
  }

  async function shorten(step: number): Promise<void> {
    await dialogs.choose(step, lengthLine);
    for (const wrong of ['129', '1', 'many']) {
      assert.equal(await dialogs.type(step, wrong), 'Type a whole number from 2 to 128.');
    }
    assert.equal(await dialogs.type(step, '32'), undefined);
    assert.equal((await dialogs.line(step, lengthLine)).description, '32 tokens');
  }

  test('that suits is found while the plan is open, and longer ones are warned of there', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, wider);
    await dialogs.chooseText(3);
    await dialogs.choose(4, 'Net2Net (FPI)');
    await assertSuited(6);
    assert.equal((await dialogs.line(6, '$(beaker) Method')).description, 'Net2Net (FPI)');
    assert.match((await dialogs.line(6, '$(database) Data')).description!, /kjv\.txt$/);
    await dialogs.choose(6, lengthLine);
    assert.equal(await dialogs.type(6, '128'), undefined);
    const { description, detail } = await dialogs.line(6, lengthLine);
    assert.equal(description, '128 tokens');
    assert.match(detail!, /worse from position 64 on: shorter sequences suit it/);
    await dialogs.leave();
    await asked;
  });

  test('is changed in the plan of a growth, which grows with it', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, wider);
    await dialogs.chooseText(3);
    await dialogs.choose(4, 'Net2Net (FPI)');
    await assertSuited(6);
    await shorten(6);
    assert.equal((await dialogs.line(6, '$(edit) Batch…')).description, '16 sequences in a step');
    await dialogs.choose(6, '$(play) Start Growing');
    await asked;
    const service = await (await api()).runs();
    const [run] = service.list();
    assert.deepEqual(run!.request.data, {
      ...{ path: join(workspaceFolder(), 'kjv.txt'), batchSize: 16, sequenceLength: 32 },
    });
    await until('the growth has ended', () => run!.ended, 60);
    assert.equal(run!.failure, undefined);
    const { warnings } = run!.state;
    assert.ok(!warnings.some(warning => /position/.test(warning)), warnings.join());
  });

  test('is changed in the plan of a comparison, which computes less then', async () => {
    const asked = vscode.commands.executeCommand('ligo.compareMethods', bert());
    await dialogs.choose(2, wider);
    await dialogs.chooseText(3);
    await dialogs.list(4);
    await dialogs.enter();
    for (const step of [5, 6, 7]) {
      assert.equal(await dialogs.type(step, '2'), undefined);
    }
    const computation = async () => (await dialogs.line(8, '$(dashboard) Computation')).description;
    await assertSuited(8);
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

suite('a plan', () => {
  let dialogs: Dialogs;

  suiteSetup(async () => {
    await api();
    dialogs = new Dialogs();
  });
  suiteTeardown(() => dialogs.dispose());

  test('takes what More… says, and is copied as a command that says it too', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    const { description } = await dialogs.line(2, wider);
    assert.match(description!, /^3 × 96 · \d+ K parameters$/);
    await dialogs.choose(2, wider);
    await dialogs.choose(3, '$(circle-slash) No data');
    await dialogs.choose(4, 'Net2Net (FPI)');
    await dialogs.choose(6, '$(settings) More…');
    await dialogs.choose(6, '$(edit) Seed…');
    assert.equal(await dialogs.type(6, '7'), undefined);
    await dialogs.choose(6, '$(edit) Feed-Forward Units…');
    assert.equal(await dialogs.type(6, '500'), undefined);
    await dialogs.choose(6, '$(check) Back to the Plan');
    await dialogs.choose(6, '$(terminal) Copy as ligo Command');
    await dialogs.line(6, '$(play) Start Growing');
    const command = await vscode.env.clipboard.readText();
    assert.match(
      command,
      /^ligo grow \S*bert-kjv\S* --layers 3 --hidden 96 --ffn 500 --method net2net/,
    );
    assert.match(command, /--seed 7 --engine \w+ .*--out \S*bert-kjv-grown-3x96$/);
    await dialogs.leave();
    await asked;
  });

  test('is asked for other sizes with some that are accepted', async () => {
    const asked = vscode.commands.executeCommand('ligo.growModel', bert());
    await dialogs.choose(2, '$(edit) Other sizes…');
    assert.equal(await dialogs.accept(2), undefined);
    await dialogs.list(3);
    await dialogs.leave();
    await asked;
  });

  test('is not started with data of the wrong kind, and says why', () => {
    const refusal = { message: 'These are images.', remedy: 'Give text.' };
    const operators = { count: 0, width: 0, depth: 0 };
    const [line, ...others] = planChoices(
      { source: sizes, target: sizes, operators, refusals: [], ignored: [], diskBytes: 400 },
      { out: '/out', sizes: {} },
      { data: { notes: [], refusal } },
    );
    assert.deepEqual(others, []);
    assert.equal(line!.value, undefined);
    assert.equal(line!.description, refusal.message);
    assert.equal(line!.detail, refusal.remedy);
  });
});

const sizes = {
  ...{ family: 'bert', modelClass: 'BertForMaskedLM', layers: 3, hidden: 64 },
  ...{ heads: 4, ffn: 256, parameters: 229_248 },
};

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
    comparisonChoices({ growth: plan, runs: 2, modelBytes: { most: 0, end: 0 } }, facts),
  ]) {
    assert.deepEqual(
      lines.map(({ description, detail, value }) => ({ description, detail, value })),
      [{ description: refusal.reason, detail: refusal.remedy, value: undefined }],
    );
  }
});
