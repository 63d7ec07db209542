import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DeviceClaims } from '../../../src/host/runs/deviceClaims';
import { localLauncher } from '../../../src/host/runs/launcher';
import { Runs } from '../../../src/host/runs/runs';
import { runFiles } from '../../../src/protocol/runFolder';
import { deepJson as deep, mutate, numbers } from '../../support/hostile';
import { requestFor, temporaryFolder } from '../worker/runFolder';
import { stepsOf } from './told';

const receipt = {
  software: { name: 's', version: '1' },
  created: '2026-11-25T00:00:00.000Z',
  source: model({ path: '/a', sha256: 'x', files: [] }),
  target: model({}),
  method: { name: 'ligo', settings: {} },
  seed: 0,
  steps: 3,
  losses: { small: scores(3), before: scores(3), after: scores(2), frequencies: 4 },
  warnings: [],
};

function model(more: object): object {
  return {
    ...{ family: 'gpt2', modelClass: 'GPT2LMHeadModel', layers: 2, hidden: 4, heads: 2, ffn: 8 },
    ...{ parameters: 100, ...more },
  };
}

function scores(loss: number): object {
  return { loss, accuracy: 0.1, perplexity: 9, batches: 1 };
}

const operators = [
  { name: 'depth.q', group: 'depth', shape: [1, 2], rows: 1, columns: 2, values: [1, -1] },
];

/** One event of each type that a log has. */
const events: readonly object[] = [
  { type: 'device', engine: 'cpu', device: 'CPU', time: 1 },
  {
    type: 'plan',
    plan: {
      ...{ source: model({}), target: model({}), refusals: [], ignored: [], diskBytes: 1 },
      operators: { count: 1, width: 1, depth: 1 },
      cost: { steps: 3, flopsPerStep: 1, flops: 3, peakBytes: 1, batchSize: 1, sequenceLength: 1 },
    },
    time: 2,
  },
  { type: 'usage', residentBytes: 1, device: { usedBytes: 1 }, time: 3 },
  { type: 'step', step: 1, steps: 3, loss: 3, seconds: 1, tokensPerSecond: 1, time: 4 },
  { type: 'operators', step: 1, operators, time: 5 },
  { type: 'evaluation', model: 'small', step: 0, ...scores(3), time: 6 },
  { type: 'warning', message: 'm', remedy: 'r', time: 7 },
  { type: 'saved', step: 1, path: '/s', time: 8 },
  { type: 'comparisonRun', method: 'ligo', seed: 0, state: 'started', ended: 0, runs: 2, time: 9 },
  { type: 'comparisonStep', method: 'ligo', seed: 0, step: 1, steps: 2, seconds: 1, time: 9 },
  {
    ...{ type: 'comparison', method: 'ligo', seed: 0, phase: 'training', step: 0, steps: 2 },
    ...{ loss: 2, flops: 1, seconds: 1, time: 9 },
  },
  { type: 'step', step: 2, steps: 3, loss: null, seconds: 1, tokensPerSecond: null, time: 10 },
  { type: 'operators', step: 2, operators, time: 11 },
  { type: 'done', out: '/out', receipt, time: 12 },
];

/** A log with some of its lines changed, repeated, out of order, torn or not text. */
function hostileLog(draw: () => number): Buffer {
  const parts = events.flatMap((event): Buffer[] => {
    const line = JSON.stringify(event);
    const chance = draw();
    if (chance < 0.4) return [Buffer.from(`${line}\n`)];
    if (chance < 0.75) return [Buffer.from(`${JSON.stringify(mutate(event, draw))}\n`)];
    if (chance < 0.8) return [Buffer.from(`${line}\n${line}\n`)];
    if (chance < 0.85) return [Buffer.from(line.slice(0, Math.floor(draw() * line.length)))];
    if (chance < 0.9) return [Buffer.from([0xff, 0xfe, 0x00, 0x0a])];
    if (chance < 0.95) return [Buffer.from(`${line.replace(/"time"/, `"deep":${deep},"time"`)}\n`)];
    return [];
  });
  if (draw() < 0.3) parts.sort(() => draw() - 0.5);
  return Buffer.concat(parts);
}

/** A service that finds runs in a folder and starts none; it must not fail. */
function serviceOf(context: TestContext, folder: string): Runs {
  const runs = new Runs({
    folder,
    devices: new DeviceClaims(join(folder, '..', 'devices'), () => ''),
    launcher: localLauncher(() => assert.fail('nothing is started')),
    keep: () => 1e6,
    mayStart: () => false,
    onError: error => assert.fail(error as Error),
  });
  context.after(() => runs.dispose());
  return runs;
}

const good = (): string => `${events.map(event => JSON.stringify(event)).join('\n')}\n`;

function runFolder(parent: string, id: string, log?: string | Buffer): string {
  const folder = join(parent, id);
  mkdirSync(folder, { recursive: true });
  const request = JSON.stringify(requestFor('/out', { id, title: id }));
  writeFileSync(join(folder, runFiles.request), request);
  writeFileSync(join(folder, runFiles.process), '{"pid":1,"started":1}');
  if (log !== undefined) writeFileSync(join(folder, runFiles.events), log);
  return folder;
}

/** Asks everything of a run that a page does. */
async function lookAt(runs: Runs, id: string): Promise<void> {
  await runs.load(id);
  const detail = runs.get(id)!.detail(phase => phase);
  await runs.newestPicture(id);
  for await (const { operators: shown } of runs.pictures(id)) {
    for (const { rows, columns, values } of shown) assert.equal(values.length, rows * columns);
  }
  structuredClone(detail);
  const { steps, losses } = detail.curve;
  assert.equal(steps.length, losses.length);
  assert.ok(steps.every((step, index) => index === 0 || step > steps[index - 1]!));
  assert.ok(!(detail.summary.secondsLeft! < 0));
}

test('300 hostile logs are each answered, and hide no run that is whole', async context => {
  const parent = temporaryFolder(context);
  for (let index = 0; index < 300; index++) {
    const log = hostileLog(numbers(index));
    const folder = runFolder(parent, `run-${index}`, log);
    if (index % 3 === 0) writeFileSync(join(folder, runFiles.newest), hostileLog(numbers(-index)));
    if (index % 5 === 0) writeFileSync(join(folder, runFiles.picture), hostileLog(numbers(-index)));
  }
  runFolder(parent, 'whole', good());
  const runs = serviceOf(context, parent);
  await runs.restore();
  assert.equal(runs.list().length, 301);
  for (const { request } of runs.list()) {
    // One that loops would never end.
    await lookAt(runs, request.id);
  }
  const whole = runs.get('whole')!;
  assert.equal(whole.status, 'done');
  assert.deepEqual(stepsOf(whole), [1, 2]);
  assert.equal(whole.state.receipt?.losses?.after.loss, 2);
});

test('requests of any shape are runs or none, and hide none', async context => {
  const parent = temporaryFolder(context);
  const draw = numbers(7);
  for (let index = 0; index < 300; index++) {
    const id = `run-${index}`;
    const folder = runFolder(parent, id, good());
    const text = JSON.stringify(mutate(requestFor('/out', { id, title: id }), draw));
    const torn = draw() < 0.2 ? text.slice(0, Math.floor(draw() * text.length)) : text;
    writeFileSync(join(folder, runFiles.request), index % 50 === 0 ? deep : torn);
    writeFileSync(join(folder, runFiles.control), JSON.stringify(mutate({ command: 'run' }, draw)));
    writeFileSync(
      join(folder, runFiles.process),
      JSON.stringify(mutate({ pid: 1, started: 1 }, draw)),
    );
  }
  runFolder(parent, 'whole', good());
  const runs = serviceOf(context, parent);
  await runs.restore();
  assert.equal(runs.get('whole')?.status, 'done');
  for (const { request } of runs.list()) {
    await lookAt(runs, request.id);
    assert.doesNotThrow(() => new Date(request.created).toISOString());
  }
});

test('directories, links, FIFOs and devices in place of files are no files', async context => {
  const parent = temporaryFolder(context);
  const files = Object.values(runFiles);
  const kinds: Record<string, (path: string) => void> = {
    directory: path => mkdirSync(path),
    loop: path => symlinkSync(path, path),
    nowhere: path => symlinkSync('/nowhere/at/all', path),
    ...(process.platform !== 'win32' && {
      fifo: path => execFileSync('mkfifo', [path]),
      device: path => symlinkSync('/dev/zero', path),
    }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    for (const [index, file] of files.entries()) {
      const path = join(runFolder(parent, `${kind}-${index}`, good()), file);
      rmSync(path, { force: true });
      make(path);
    }
  }
  runFolder(parent, 'whole', good());
  const runs = serviceOf(context, parent);
  await runs.restore();
  assert.equal(runs.get('whole')?.status, 'done');
  assert.equal(runs.list().length, 1 + Object.keys(kinds).length * (files.length - 1));
  for (const { request } of runs.list()) await lookAt(runs, request.id);
});

test('a log of a hundred thousand lines of each kind is read in one pass', async context => {
  const parent = temporaryFolder(context);
  const lines = Array.from({ length: 100_000 }, (_, index) => [
    { ...events[3], step: index + 1, steps: 1e9 },
    { ...events[5], step: index },
    { ...events[6] },
  ]).flat();
  const compared = Array.from({ length: 100_000 }, (_, index) => ({ ...events[9], seed: index }));
  const text = (list: readonly object[]): string =>
    `${list.map(event => JSON.stringify(event)).join('\n')}\n${JSON.stringify(events.at(-1))}\n`;
  runFolder(parent, 'steps', text(lines));
  const folder = runFolder(parent, 'compared', text(compared));
  const { method, steps, seed, ...rest } = requestFor('/out', { id: 'compared' });
  writeFileSync(
    join(folder, runFiles.request),
    JSON.stringify({ ...rest, kind: 'compare', methods: [method], seeds: [seed], steps }),
  );
  const runs = serviceOf(context, parent);
  await runs.restore();
  assert.deepEqual(
    runs.list().map(({ status }) => status),
    ['done', 'done'],
  );
  await lookAt(runs, 'steps');
  await lookAt(runs, 'compared');
  const record = runs.get('steps')!;
  const curve = stepsOf(record);
  assert.ok(curve.length > 1000 && curve.length <= 8000, 'the curve is thinned');
  assert.equal(curve.at(-1), 100_000);
  const { warnings, evaluations } = record.state;
  assert.ok(warnings.length <= 1000 && evaluations.length <= 1000);
  assert.ok(runs.get('compared')!.state.comparison!.runs.length <= 10_000);
});

test('a line without end is passed over without being kept', async context => {
  const parent = temporaryFolder(context);
  const endless = Buffer.alloc(70_000_000, 'x');
  runFolder(parent, 'endless', Buffer.concat([Buffer.from(good()), endless]));
  runFolder(parent, 'amid', Buffer.concat([endless, Buffer.from(`\n${good()}`)]));
  const runs = serviceOf(context, parent);
  await runs.restore();
  for (const id of ['endless', 'amid']) {
    await lookAt(runs, id);
    assert.equal(runs.get(id)?.status, 'done', id);
    assert.deepEqual(stepsOf(runs.get(id)!), [1, 2], id);
  }
});
