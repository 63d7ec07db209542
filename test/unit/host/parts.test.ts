import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  arrange,
  candidates,
  labelOf,
  type Found,
} from '../../../src/host/checkpoints/checkpointTree';
import { Relatives } from '../../../src/host/checkpoints/relatives';
import { explainDeath } from '../../../src/host/runs/death';
import { shareDevice } from '../../../src/host/runs/deviceClaims';
import { EventTail } from '../../../src/host/runs/eventTail';
import { freeOutput } from '../../../src/host/wizard/outputName';
import { RunRecord } from '../../../src/host/runs/runRecord';
import { parseTarget, targetPresets, targetProblem } from '../../../src/host/wizard/targets';
import { nodeEnvironment } from '../../../src/host/runs/workerProcess';
import { requestFor, temporaryFolder } from '../worker/runFolder';

const model = {
  family: 'gpt2',
  modelClass: 'M',
  layers: 2,
  hidden: 8,
  heads: 2,
  ffn: 32,
  parameters: 9,
};
const found = (path: string, parent?: string): Found => ({
  path,
  summary: {
    path,
    files: [path],
    bytes: 1,
    elementTypes: 'F32',
    kind: 'model',
    model: { ...model, objective: 'o', head: 'tied', usualBatch: { size: 16 } },
    ...(parent !== undefined && { parent: { ...model, path: parent, sha256: '0' } }),
  },
});

const nested = (all: readonly Found[]): ReturnType<typeof arrange> => {
  const relatives = new Relatives(all);
  return arrange(all, child => relatives.parentByPath(child));
};

test('shards stand behind their index, and behind the first of them without one', () => {
  const shards = ['/m/model-00001-of-00002.safetensors', '/m/model-00002-of-00002.safetensors'];
  const index = '/m/model.safetensors.index.json';
  assert.deepEqual(candidates([...shards, index]), [index]);
  assert.deepEqual(candidates(shards), shards.slice(0, 1));
});

test('a checkpoint is called by its folder where the file has the usual name', () => {
  assert.equal(labelOf('/a/gpt2/model.safetensors'), 'gpt2');
  assert.equal(labelOf('/a/gpt2/model.safetensors.index.json'), 'gpt2');
  assert.equal(labelOf('/a/gpt2/adapter.safetensors'), 'adapter.safetensors');
});

test('grown checkpoints nest under their parent, also over generations', () => {
  const all = [
    found('/c/model.safetensors', '/b'),
    found('/a/model.safetensors'),
    found('/b/model.safetensors', '/a/model.safetensors'),
  ];
  const [root, ...others] = nested(all);
  assert.equal(others.length, 0);
  assert.equal(root?.label, 'a');
  assert.equal(root.children[0]?.label, 'b');
  assert.equal(root.children[0].children[0]?.label, 'c');
});

test('receipts that name each other in a circle still show every checkpoint', () => {
  const all = [found('/a/model.safetensors', '/b'), found('/b/model.safetensors', '/a')];
  const roots = nested(all);
  const count = (nodes: typeof roots): number =>
    nodes.reduce((sum, { children }) => sum + 1 + count(children), 0);
  assert.equal(count(roots), 2);
});

test('targets are proposed with whole heads', () => {
  const source = { layers: 12, hidden: 768, heads: 12 };
  assert.deepEqual(targetPresets(source), [
    { kind: 'both', layers: 24, hidden: 1152 },
    { kind: 'deeper', layers: 24, hidden: 768 },
    { kind: 'wider', layers: 12, hidden: 1152 },
  ]);
  for (const { hidden } of targetPresets({ layers: 1, hidden: 64, heads: 1 })) {
    assert.equal(hidden % 64, 0);
  }
});

test('typed targets are read in the ways people write them', () => {
  for (const text of ['12 × 768', '12x768', ' 12 X 768 ', '12,768', '12 768']) {
    assert.deepEqual(parseTarget(text), { layers: 12, hidden: 768 });
  }
  for (const text of ['', '12', 'x', '0 x 4', '1.5 x 4', '-1 x 4']) {
    assert.equal(parseTarget(text), undefined);
  }
});

test('targets that cannot be are told while typing', () => {
  const source = { layers: 2, hidden: 64, heads: 4 };
  assert.deepEqual(targetProblem(source, { layers: 1, hidden: 64 }), { kind: 'smaller' });
  assert.deepEqual(targetProblem(source, { layers: 2, hidden: 64 }), { kind: 'same' });
  assert.deepEqual(targetProblem(source, { layers: 2, hidden: 70 }), {
    kind: 'heads',
    below: 64,
    above: 80,
  });
  assert.equal(targetProblem(source, { layers: 3, hidden: 80 }), undefined);
  const named = { ...source, namesHeadSize: true };
  assert.equal(targetProblem(named, { layers: 2, hidden: 70 }), undefined);
});

test('outputs are numbered so that nothing is overwritten', async () => {
  const taken = new Set(['/w/m-grown-4x80', '/w/m-grown-4x80-2']);
  const path = await freeOutput('/w/m/model.safetensors', 'grown-4x80', each =>
    Promise.resolve(taken.has(each)),
  );
  assert.equal(path, '/w/m-grown-4x80-3');
});

test('a worker gets no variables of the editor', () => {
  const environment = nodeEnvironment({
    PATH: '/bin',
    VSCODE_PID: '1',
    ELECTRON_NO_ATTACH_CONSOLE: '1',
    NODE_OPTIONS: '--inspect',
  });
  const own = { ELECTRON_RUN_AS_NODE: '1', NoDefaultCurrentDirectoryInExePath: '1' };
  assert.deepEqual(environment, { PATH: '/bin', ...own });
});

test('events are told once and whole, however they are written', async context => {
  const path = join(temporaryFolder(context), 'events.jsonl');
  const told: string[] = [];
  const tail = new EventTail(
    path,
    events => told.push(...events.map(({ type }) => type)),
    error => assert.fail(error as Error),
  );
  await tail.catchUp();
  const device = JSON.stringify({ type: 'device', engine: 'cpu', device: 'ü', time: 1 });
  const operators = JSON.stringify({ type: 'operators', step: 1, operators: [], time: 1 });
  const bytes = Buffer.from(device);
  writeFileSync(path, bytes.subarray(0, bytes.indexOf(0xc3) + 1));
  await tail.catchUp();
  assert.deepEqual(told, []);
  appendFileSync(path, bytes.subarray(bytes.indexOf(0xc3) + 1));
  appendFileSync(path, `\nnonsense\n{"type":"unknown"}\n${operators}\n`);
  await tail.catchUp();
  assert.deepEqual(told, ['device']);
  tail.withOperators = true;
  appendFileSync(path, `${operators}\n`);
  await Promise.all([tail.catchUp(), tail.catchUp()]);
  assert.deepEqual(told, ['device', 'operators']);
});

test('a line longer than what is read at a time is still one event', async context => {
  const path = join(temporaryFolder(context), 'events.jsonl');
  const told: string[] = [];
  const tail = new EventTail(
    path,
    events => told.push(...events.map(event => ('message' in event ? event.message : ''))),
    error => assert.fail(error as Error),
  );
  const message = 'x'.repeat(700_000);
  const line = JSON.stringify({ type: 'warning', message, remedy: '', time: 1 });
  writeFileSync(path, `${line}\n${line}\n`);
  await tail.catchUp();
  assert.deepEqual(told, [message, message]);
});

test('a record tells steps left, phases and the newest loss', () => {
  const record = new RunRecord(requestFor('/out', { steps: 10 }), '/folder');
  const phase = (): string => record.summary(name => name).phase;
  assert.equal(phase(), 'waiting');
  record.restart();
  assert.equal(phase(), 'starting');
  record.apply({ type: 'device', engine: 'cpu', device: 'CPU', time: 1 });
  assert.equal(phase(), 'measuring');
  for (const step of [1, 2, 3]) {
    record.apply({
      type: 'step',
      step,
      steps: 10,
      loss: 5 - step,
      seconds: 2,
      tokensPerSecond: 7,
      time: 1,
    });
  }
  const summary = record.summary(name => name);
  assert.equal(summary.phase, 'learning');
  assert.equal(summary.secondsLeft, 14);
  assert.equal(summary.loss, 2);
  assert.deepEqual(summary.lossHistory, [4, 3, 2]);
  record.apply({ type: 'failed', message: 'm', remedy: 'r', interrupted: true, time: 1 });
  assert.equal(record.summary(name => name).status, 'cancelled');
});

test('a record tells its engine, why, and what the run takes of the machine while it lives', () => {
  const record = new RunRecord(requestFor('/out'), '/folder');
  record.restart();
  record.apply({
    ...{ type: 'device', engine: 'webgpu', device: 'WebGPU on X (ONNX Runtime)', time: 1 },
    reason: 'WebGPU on X; CUDA not installed',
  });
  const device = { usedBytes: 3e9, totalBytes: 12e9, utilization: 0.9 };
  record.apply({ type: 'usage', residentBytes: 4e8, device, time: 2 });
  const live = record.summary(name => name);
  assert.equal(live.reason, 'WebGPU on X; CUDA not installed');
  assert.deepEqual(live.usage, { residentBytes: 4e8, device });
  record.apply({ type: 'done', out: '/out', time: 3 });
  assert.equal(record.summary(name => name).usage, undefined);
});

test('runs share a device unless one computes on the CPU and the other on a GPU', () => {
  const sharing: readonly (readonly [Parameters<typeof shareDevice>, boolean])[] = [
    [['cpu', 'cpu'], true],
    [['cuda', 'webgpu'], true],
    [['cpu', 'cuda'], false],
    [['tfjs', 'cpu'], false],
    [['auto', 'cpu'], true],
    [['cuda', 'auto'], true],
  ];
  for (const [engines, expected] of sharing) {
    assert.equal(shareDevice(...engines), expected, engines.join(' and '));
  }
});

test('how a worker died is told in words', () => {
  assert.match(explainDeath({ signal: 'SIGKILL' }).message, /killed/);
  assert.match(explainDeath({ code: 134, log: 'std::bad_alloc' }).message, /out of memory/);
  assert.match(explainDeath({ code: 1, log: 'ERR_DLOPEN_FAILED' }).remedy, /platform/);
  assert.match(explainDeath({ code: 3 }).message, /code 3/);
});
