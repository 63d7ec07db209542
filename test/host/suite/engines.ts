import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { planChoices, type PlanFindings } from '../../../src/host/wizard/planPreview';
import { api, until, workspaceFolder } from './support';

suite('engines', () => {
  test('are chosen by the setting, and one that cannot run fails with its remedy', async () => {
    const { startGrowth, runs } = await api();
    const service = await runs();
    const id = await startGrowth({
      checkpoint: join(workspaceFolder(), 'gpt2-kjv', 'model.safetensors'),
      target: { layers: 4, hidden: 80 },
      method: 'stack',
      engine: 'tfjs',
      out: join(workspaceFolder(), 'never'),
      steps: 1,
      title: 'never',
    });
    await until('the run has ended', () => service.get(id)?.ended, 60);
    const { failure } = service.get(id)!;
    assert.match(failure?.message ?? '', /TensorFlow\.js is not installed/);
    assert.match(failure?.remedy ?? '', /Set Up GPU Engine/);
    await service.remove(id);
  });

  test('are shown in the plan, with a way to set up a faster one, and stop what does not fit', () => {
    const size = { family: 'gpt2', modelClass: 'GPT2LMHeadModel', layers: 1, hidden: 8 };
    const model = { ...size, heads: 2, ffn: 32, parameters: 100 };
    const plan = {
      ...{ source: model, target: model, operators: { count: 0, width: 0, depth: 0 } },
      ...{ refusals: [], ignored: [], diskBytes: 400 },
    };
    const valuesFor = (outlook: PlanFindings['outlook']) =>
      planChoices(plan, { out: '/out', sizes: {} }, { ...(outlook && { outlook }) }).flatMap(
        ({ value }) => value ?? [],
      );
    const onCard = { name: 'webgpu', reason: 'WebGPU on NVIDIA RTX 4070, 12 GB' };
    assert.deepEqual(valuesFor(onCard), ['start', 'otherFolder']);
    assert.ok(
      planChoices(plan, { out: '/out', sizes: {} }, { outlook: onCard }).some(
        ({ description }) => description === onCard.reason,
      ),
    );
    const onCpu = { name: 'cpu', reason: 'CPU, 2 threads: no GPU found' };
    assert.deepEqual(valuesFor(onCpu), ['start', 'otherFolder', 'setUpEngine']);
    const refusal = { reason: 'A step takes about 40 GB of memory.', remedy: 'Lower it.' };
    assert.deepEqual(valuesFor({ ...onCard, refusal }), []);
    const problem = { message: 'CUDA is not installed.', remedy: 'Set it up.' };
    assert.deepEqual(valuesFor({ problem }), ['start', 'otherFolder', 'setUpEngine']);
  });

  test('have auto as their preset, in a setting of the machine', () => {
    const configuration = vscode.workspace.getConfiguration('ligo');
    assert.equal(configuration.get('engine'), 'auto');
  });
});
