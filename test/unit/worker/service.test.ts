import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServiceClient } from '../../../src/host/serviceClient';
import { example, fixture } from '../../support/fixtures';
import { builtWorker, temporaryFolder, until } from './runFolder';

const start = () =>
  fork(builtWorker, ['--serve'], { execArgv: [], serialization: 'advanced', stdio: 'ignore' });

test('the helper process tells what checkpoints are, plans and computes statistics', async context => {
  const client = new ServiceClient(start);
  context.after(() => client.dispose());
  const gpt2 = example('gpt2-kjv');
  const [summary, inspected, plan] = await Promise.all([
    client.call('summarize', gpt2),
    client.call('inspect', gpt2),
    client.call('plan', { checkpoint: gpt2, target: { layers: 6 }, steps: 10 }),
  ]);
  assert.equal(summary.model?.layers, 3);
  assert.equal(summary.path, join(gpt2, 'model.safetensors'));
  assert.equal(summary.kind, 'model');
  assert.equal(inspected.tensors.length, 40);
  assert.equal(plan.target.layers, 6);
  const tensor = inspected.tensors.find(({ shape }) => shape.length === 2)!;
  const statistics = await client.call('statistics', { path: gpt2, tensor: tensor.name });
  assert.equal(statistics.count, tensor.shape[0]! * tensor.shape[1]!);
});

test('operators arrive at full resolution as they are on disk', async context => {
  const client = new ServiceClient(start);
  context.after(() => client.dispose());
  const path = example('gpt2-kjv/model.safetensors');
  const name = 'transformer.wpe.weight';
  const { shape, values } = await client.call('operator', { path, name });
  assert.deepEqual(shape, [128, 64]);
  assert.ok(values instanceof Float32Array);
  assert.equal(values.length, 128 * 64);
});

test('a sharded checkpoint is one item, whichever way it is named', async context => {
  const client = new ServiceClient(start);
  context.after(() => client.dispose());
  const folder = fixture('hf/bert-sharded');
  const summary = await client.call('summarize', folder);
  assert.equal(summary.path, join(folder, 'model.safetensors.index.json'));
  assert.equal(summary.files.length, 6);
});

test('damaged files are told with a remedy, and the helper lives on', async context => {
  const client = new ServiceClient(start);
  context.after(() => client.dispose());
  const path = join(temporaryFolder(context), 'model.safetensors');
  writeFileSync(path, readFileSync(example('gpt2-kjv/model.safetensors')).subarray(0, 1000));
  await assert.rejects(client.call('summarize', path), (error: Error & { remedy?: string }) => {
    assert.match(error.message, /truncated/);
    assert.ok(error.remedy);
    return true;
  });
  assert.ok(await client.call('summarize', example('gpt2-kjv')));
});

test('questions are rejected when the helper dies, and the next one starts a new helper', async context => {
  const children: ReturnType<typeof start>[] = [];
  const client = new ServiceClient(() => {
    const child = start();
    children.push(child);
    return child;
  });
  context.after(() => client.dispose());
  const waiting = client.call('summarize', example('gpt2-kjv'));
  children[0]!.kill('SIGKILL');
  await assert.rejects(waiting, /stopped answering/);
  assert.ok(await client.call('summarize', example('gpt2-kjv')));
  assert.equal(children.length, 2);
});

test('the helper ends when it was idle for a while', async context => {
  const children: ReturnType<typeof start>[] = [];
  const client = new ServiceClient(() => {
    const child = start();
    children.push(child);
    return child;
  }, 100);
  context.after(() => client.dispose());
  await client.call('summarize', example('gpt2-kjv'));
  assert.equal(client.running, true);
  await until('the helper has ended', () => children[0]!.exitCode ?? children[0]!.signalCode);
  assert.equal(client.running, false);
});
