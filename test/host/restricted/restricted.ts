import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { newRequest } from '../../../src/host/wizard/growWizard';
import { runFiles } from '../../../src/protocol/runFolder';
import { api, exampleModels, until, workspaceFolder } from '../suite/support';

const checkpoint = (): string => join(workspaceFolder(), 'gpt2-kjv', 'model.safetensors');

const growth = () => ({
  checkpoint: checkpoint(),
  target: { layers: 4 },
  method: 'stack',
  out: join(workspaceFolder(), 'grown'),
  steps: 1,
  title: 'grown',
});

const invoke = (name: string, input: object): Promise<vscode.LanguageModelToolResult> =>
  Promise.resolve(vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined }));

suite('a workspace that is not trusted', () => {
  test('is one', () => assert.equal(vscode.workspace.isTrusted, false));

  test('changes no setting that chooses what runs', async () => {
    await api();
    const settings = vscode.workspace.getConfiguration('ligo');
    const { properties } = vscode.extensions.getExtension('ligo-grow.ligo-grow')!.packageJSON
      .contributes.configuration as { properties: Record<string, { default: unknown }> };
    const changed = Object.entries(properties)
      .map(([name, { default: preset }]) => [name.slice('ligo.'.length), preset] as const)
      .filter(([name, preset]) => JSON.stringify(settings.get(name)) !== JSON.stringify(preset));
    // This one shows that the workspace's settings are read.
    assert.deepEqual(changed, [['heatmap.colorMap', 'RdBu']]);
  });

  test('has its checkpoints listed', async () => {
    const { checkpoints } = await api();
    await until('the examples are found', () => checkpoints.models.length === exampleModels.length);
  });

  test('has no run started by another extension', async () => {
    const { startGrowth, startComparison, runs } = await api();
    await assert.rejects(startGrowth(growth()), /needs a trusted workspace/);
    const compared = { ...growth(), methods: ['stack'], data: { path: checkpoint() } };
    await assert.rejects(startComparison(compared), /needs a trusted workspace/);
    assert.deepEqual((await runs()).list(), []);
  });

  test('has its checkpoints inspected by language models, and not grown', async () => {
    await api();
    const told = await invoke('ligo_inspect_checkpoint', { path: 'gpt2-kjv' });
    const [part] = told.content;
    assert.ok(part instanceof vscode.LanguageModelTextPart);
    assert.match(part.value, /GPT2LMHeadModel/);
    // Said before anything is looked at: there is no such path.
    const grown = invoke('ligo_grow_model', { path: 'nowhere', layers: 4, method: 'stack' });
    await assert.rejects(grown, /trusted workspace|not (found|available|registered)/i);
  });

  test('has nothing fetched from the Hugging Face Hub', async () => {
    await api();
    const shown: string[] = [];
    const show = vscode.window.showErrorMessage;
    vscode.window.showErrorMessage = ((message: string) => {
      shown.push(message);
      return Promise.resolve(undefined);
    }) as typeof show;
    try {
      await vscode.commands.executeCommand('ligo.openFromHub', 'owner/tiny');
    } finally {
      vscode.window.showErrorMessage = show;
    }
    assert.match(shown[0] ?? '', /needs a trusted workspace/);
  });

  test('has a run wait, and does not take up one that ended', async () => {
    const runs = await (await api()).runs();
    const record = await runs.start(newRequest(growth()));
    const { id } = record.request;
    assert.equal(record.status, 'queued');
    await runs.control(id, 'cancel');
    assert.equal(record.status, 'cancelled');
    let answered = false;
    const resumed = vscode.commands
      .executeCommand('ligo.resumeRun', id)
      .then(() => (answered = true));
    // The refusal offers to manage trust, and waits for an answer.
    await until('the refusal was closed', async () => {
      await vscode.commands.executeCommand('notifications.clearAll');
      return answered;
    });
    await resumed;
    assert.equal(record.status, 'cancelled');
    assert.ok(!existsSync(join(record.folder, runFiles.process)));
    await runs.remove(id);
  });
});
