import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DeviceClaims } from '../../../src/host/runs/deviceClaims';
import { localLauncher } from '../../../src/host/runs/launcher';
import { Runs, type RunChange } from '../../../src/host/runs/runs';
import { spawnRun } from '../../../src/host/runs/workerProcess';
import type { GrowthRequest } from '../../../src/protocol/runFolder';
import { builtWorker, requestFor, temporaryFolder, until } from '../worker/runFolder';
import { stepsOf } from './told';

/** A service of runs in a folder, as an extension host has it. */
function host(
  context: TestContext,
  folder: string,
  changes: Partial<ConstructorParameters<typeof Runs>[0]> = {},
): Runs & { readonly seen: RunChange[] } {
  const runs = new Runs({
    folder,
    devices: new DeviceClaims(join(folder, '..', 'devices'), () => basename(folder)),
    launcher: localLauncher(run =>
      spawnRun({ script: builtWorker, engines: '' }, process.execPath, run),
    ),
    keep: () => 10,
    mayStart: () => true,
    onError: error => assert.fail(error as Error),
    ...changes,
  });
  const seen: RunChange[] = [];
  runs.onDidChange(change => seen.push(change));
  context.after(() => {
    runs.dispose();
    for (const { folder: run } of runs.list()) killWorker(run);
  });
  return Object.assign(runs, { seen });
}

function killWorker(run: string): void {
  const path = join(run, 'process.json');
  if (!existsSync(path)) return;
  try {
    process.kill((JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

const endless = 100_000;
let created = 0;
const request = (folder: string, id: string, changes: Partial<GrowthRequest> = {}) =>
  requestFor(join(folder, `${id}-out`), { id, title: id, created: ++created, ...changes });

test('a run is started, followed and ends with its receipt', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  const record = await runs.start(request(folder, 'a'));
  assert.equal(record.status, 'starting');
  await until('it ended', () => record.ended);
  assert.equal(record.status, 'done');
  assert.deepEqual(stepsOf(record), [1, 2, 3]);
  assert.equal(record.state.receipt?.target.hidden, 80);
  assert.equal(runs.seen.filter(({ endedNow }) => endedNow).length, 1);
});

test('a second run waits until the first one leaves the device', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  const first = await runs.start(request(folder, 'first', { steps: endless }));
  const second = await runs.start(request(folder, 'second'));
  await until('the first works', () => stepsOf(first).length > 1);
  assert.equal(second.status, 'queued');
  await runs.control('first', 'stopAndKeep');
  await until('both ended', () => first.ended && second.ended);
  assert.deepEqual([first.status, second.status], ['done', 'done']);
});

test('a run that two windows start is worked on by one worker, and both follow it', async context => {
  const folder = temporaryFolder(context);
  const windows = [host(context, join(folder, 'runs')), host(context, join(folder, 'runs'))];
  await windows[0]!.start(request(folder, 'a'));
  // No worker has said yet that it works, but the first window has said that it started one.
  await windows[1]!.restore();
  const records = windows.map(window => window.get('a')!);
  await until('both saw its end', () => records.every(({ ended }) => ended));
  for (const record of records) {
    assert.equal(record.status, 'done');
    assert.deepEqual(stepsOf(record), [1, 2, 3]);
  }
  const events = readFileSync(join(records[0]!.folder, 'events.jsonl'), 'utf8');
  assert.equal(events.match(/"type":"device"/g)?.length, 1);
});

test('a run waits for one of another window that has its device, and says which', async context => {
  const folder = temporaryFolder(context);
  const [first, second] = [host(context, join(folder, 'one')), host(context, join(folder, 'two'))];
  await second.restore();
  const holder = await first.start(request(folder, 'a', { steps: endless, title: 'the first' }));
  await until('the other window knows of it', () => second.elsewhere.length === 1);
  assert.deepEqual([second.elsewhere[0]?.title, second.elsewhere[0]?.window], ['the first', 'one']);
  const waiting = await second.start(request(folder, 'b'));
  assert.equal(waiting.status, 'queued');
  assert.deepEqual(waiting.waitsFor, { title: 'the first', window: 'one' });
  assert.equal(waiting.phase, 'waiting');
  assert.equal(
    waiting.told((_, details) => details?.waitsFor?.window ?? ''),
    'one',
  );
  // Its window may be closed: it is the worker that counts.
  await until('the first works', () => stepsOf(holder).length > 1);
  first.dispose();
  await second.look();
  assert.equal(waiting.status, 'queued');
  killWorker(holder.folder);
  await until('the second had its turn', () => waiting.ended);
  assert.equal(waiting.status, 'done');
  assert.equal(waiting.waitsFor, undefined);
  assert.deepEqual(second.elsewhere, []);
  await until('nothing is claimed', () => readdirSync(join(folder, 'devices')).length === 0);
});

test('of two windows that start a run at the same moment one waits for the other', async context => {
  const folder = temporaryFolder(context);
  const windows = ['one', 'two', 'three'].map(name => host(context, join(folder, name)));
  const records = await Promise.all(
    windows.map((window, index) => window.start(request(folder, `run-${index}`, { steps: 30 }))),
  );
  let most = 0;
  await until('all ended', () => {
    most = Math.max(most, records.filter(({ live }) => live).length);
    return records.every(({ ended }) => ended);
  });
  assert.deepEqual(
    records.map(({ status }) => status),
    ['done', 'done', 'done'],
  );
  assert.equal(most, 1);
});

test('claims that no longer count, or are none, keep nobody waiting', async context => {
  const folder = temporaryFolder(context);
  const devices = join(folder, 'devices');
  mkdirSync(devices);
  const claim = {
    ...{ version: 1, id: 'x', title: 'x', engine: 'cpu', folder, machine: hostname(), window: '' },
    ...{ host: process.pid, since: Date.now() },
  };
  const hostile: Record<string, unknown> = {
    'killed.json': { ...claim, id: 'killed', worker: { pid: 999_999_999, started: Date.now() } },
    'recycled.json': { ...claim, id: 'recycled', worker: { pid: process.pid, started: 1 } },
    'never-started.json': { ...claim, id: 'never-started', since: 1 },
    'elsewhere.json': { ...claim, id: 'elsewhere', machine: 'another' },
    'renamed.json': claim,
    'newer.json': { ...claim, id: 'newer', version: 2 },
    'number.json': 7,
  };
  for (const [name, content] of Object.entries(hostile)) {
    writeFileSync(join(devices, name), JSON.stringify(content));
  }
  writeFileSync(join(devices, 'torn.json'), '{"version":1,"id":"to');
  mkdirSync(join(devices, 'folder.json'));
  const runs = host(context, join(folder, 'runs'));
  await runs.restore();
  assert.deepEqual(runs.elsewhere, []);
  const record = await runs.start(request(folder, 'a'));
  assert.equal(record.status, 'starting');
  await until('it ended', () => record.ended);
  const left = readdirSync(devices);
  for (const name of ['killed.json', 'recycled.json', 'never-started.json']) {
    assert.ok(!left.includes(name), name);
  }
  assert.ok(left.includes('elsewhere.json'), 'what another machine says is left alone');
});

test('a run that waits can be cancelled and started again later', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  const first = await runs.start(request(folder, 'first', { steps: endless }));
  const second = await runs.start(request(folder, 'second'));
  await runs.control('second', 'cancel');
  assert.equal(second.status, 'cancelled');
  const later = host(context, join(folder, 'runs'));
  await later.restore();
  assert.equal(later.get('second')?.status, 'cancelled');
  later.dispose();
  await until('the first works', () => stepsOf(first).length > 1);
  await runs.control('first', 'cancel');
  await until('the first ended', () => first.ended);
  assert.equal(first.status, 'cancelled');
  await runs.resume('second');
  await until('the second ended', () => second.ended);
  assert.equal(second.status, 'done');
});

test('a cancelled run goes on where it stopped', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  const record = await runs.start(request(folder, 'a', { steps: endless }));
  await until('it works', () => stepsOf(record).length > 2);
  await runs.control('a', 'cancel');
  await until('it ended', () => record.ended);
  assert.equal(record.saved, true);
  const stopped = stepsOf(record).length;
  await runs.resume('a');
  await until('its steps are followed', () => stepsOf(record).length > stopped);
  assert.equal(record.live, true);
  await runs.control('a', 'stopAndKeep');
  await until('it ended again', () => record.ended);
  assert.equal(record.status, 'done');
  assert.deepEqual(
    stepsOf(record),
    stepsOf(record).map((_, index) => index + 1),
  );
});

test('another host finds a live run again and can stop it', async context => {
  const folder = temporaryFolder(context);
  const before = host(context, join(folder, 'runs'));
  const started = await before.start(request(folder, 'a', { steps: endless }));
  await until('it works', () => stepsOf(started).length > 2);
  before.dispose();
  const after = host(context, join(folder, 'runs'));
  await after.restore();
  const record = after.get('a')!;
  assert.equal(record.live, true);
  const steps = stepsOf(record).length;
  assert.ok(steps > 2);
  await until('it goes on', () => stepsOf(record).length > steps);
  await after.control('a', 'stopAndKeep');
  await until('it ended', () => record.ended);
  assert.equal(record.status, 'done');
});

test('a worker that was killed while nobody looked is told as a failure', async context => {
  const folder = temporaryFolder(context);
  const before = host(context, join(folder, 'runs'));
  const started = await before.start(request(folder, 'a', { steps: endless }));
  await until('it works', () => stepsOf(started).length > 2);
  before.dispose();
  killWorker(started.folder);
  await new Promise(resolve => setTimeout(resolve, 200));
  const after = host(context, join(folder, 'runs'));
  await after.restore();
  assert.equal(after.get('a')?.status, 'failed');
  assert.match(after.get('a')?.failure?.message ?? '', /is gone before the run was finished/);
});

test('a killed worker is noticed, told as killed, and its run can start anew', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  const record = await runs.start(request(folder, 'a', { steps: 100 }));
  await until('it works', () => stepsOf(record).length > 2);
  killWorker(record.folder);
  await until('it is noticed', () => record.ended);
  assert.match(record.failure?.message ?? '', /was killed/);
  await runs.resume('a');
  await until('it ended', () => record.ended);
  assert.equal(record.status, 'done');
  assert.equal(stepsOf(record).length, 100);
});

test('how a worker ended is told by its process, however often it is looked for before', async context => {
  const folder = temporaryFolder(context);
  const gone = spawn(process.execPath, ['-e', '']);
  await new Promise(resolve => gone.once('exit', resolve));
  // A process that is gone while its end was not told yet.
  const told = Object.assign(new EventEmitter(), { pid: gone.pid }) as ChildProcess;
  const runs = host(context, join(folder, 'runs'), { launcher: localLauncher(() => told) });
  const record = await runs.start(request(folder, 'a'));
  const claim = { pid: gone.pid, started: Date.now() };
  writeFileSync(join(record.folder, 'process.json'), JSON.stringify(claim));
  await runs.look();
  assert.equal(record.live, true);
  told.emit('exit', null, 'SIGKILL');
  await until('it is noticed', () => record.ended);
  assert.match(record.failure?.message ?? '', /was killed/);
});

test('the late end of an earlier worker is no end of a run that was taken up again', async context => {
  const folder = temporaryFolder(context);
  const workers: ChildProcess[] = [];
  const runs = host(context, join(folder, 'runs'), {
    launcher: localLauncher(() => {
      workers.push(Object.assign(new EventEmitter(), { pid: process.pid }) as ChildProcess);
      return workers.at(-1)!;
    }),
  });
  const record = await runs.start(request(folder, 'a'));
  const last = { type: 'failed', message: 'm', remedy: 'r', interrupted: true, time: 1 };
  writeFileSync(join(record.folder, 'events.jsonl'), `${JSON.stringify(last)}\n`);
  await until('it was stopped', () => record.status === 'cancelled');
  // Its process ends while the run waits for its device again.
  runs.onDidChange(() => record.status === 'queued' && workers[0]!.emit('exit', 1, null));
  await runs.resume('a');
  await runs.look();
  assert.equal(workers.length, 2);
  assert.equal(record.failure, undefined);
  assert.equal(record.live, true);
});

test('a worker that cannot be started is told with the setting to check', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'), {
    launcher: localLauncher(run =>
      spawnRun({ script: builtWorker, engines: '' }, '/nowhere/node', run),
    ),
  });
  const record = await runs.start(request(folder, 'a'));
  await until('it is noticed', () => record.ended);
  assert.match(record.failure?.message ?? '', /could not be started/);
  assert.match(record.failure?.remedy ?? '', /ligo\.nodePath/);
});

test('a worker that runs out of memory is told as such', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'), {
    launcher: localLauncher(run =>
      spawn(process.execPath, ['-e', 'process.abort()'], {
        stdio: ['ignore', 'ignore', 'ignore'],
        cwd: run,
      }),
    ),
  });
  const id = 'a';
  const log = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n';
  const started = runs.start(request(folder, id));
  await until('the folder is there', () => existsSync(join(folder, 'runs', id)));
  writeFileSync(join(folder, 'runs', id, 'worker.log'), log);
  const record = await started;
  await until('it is noticed', () => record.ended);
  assert.match(record.failure?.message ?? '', /out of memory/);
});

test('nothing starts where nothing may start, until it may', async context => {
  const folder = temporaryFolder(context);
  let trusted = false;
  const runs = host(context, join(folder, 'runs'), { mayStart: () => trusted });
  const record = await runs.start(request(folder, 'a'));
  assert.equal(record.status, 'queued');
  trusted = true;
  await runs.wake();
  await until('it ended', () => record.ended);
});

test('the history keeps as many ended runs as wished, and their results', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'), { keep: () => 1 });
  for (const id of ['a', 'b']) {
    const record = await runs.start(request(folder, id, { steps: 1 }));
    await until('it ended', () => record.ended);
  }
  await until('the older one is forgotten', () => runs.list().length === 1);
  await until('its folder is gone', () => readdirSync(join(folder, 'runs')).length === 1);
  assert.deepEqual(readdirSync(join(folder, 'runs')), ['b']);
  assert.ok(existsSync(join(folder, 'a-out', 'model.safetensors')));
});

test('folders that are no runs are left alone', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  await runs.start(request(folder, 'a', { steps: 1 }));
  await until('it ended', () => runs.get('a')?.ended);
  writeFileSync(join(folder, 'runs', 'note.txt'), 'mine');
  writeFileSync(join(folder, 'runs', 'a', 'request.json'), '{"version":1}');
  const after = host(context, join(folder, 'runs'));
  await after.restore();
  assert.deepEqual(after.list(), []);
  assert.ok(existsSync(join(folder, 'runs', 'note.txt')));
});

test('pictures of operators are read when somebody looks', async context => {
  const folder = temporaryFolder(context);
  const runs = host(context, join(folder, 'runs'));
  const record = await runs.start(request(folder, 'a'));
  await until('it ended', () => record.ended);
  const later = host(context, join(folder, 'runs'));
  await later.restore();
  assert.equal(later.isLoaded('a'), false);
  assert.equal(later.get('a')?.status, 'done');
  await later.load('a');
  assert.deepEqual(stepsOf(later.get('a')!), [1, 2, 3]);
  assert.equal((await later.newestPicture('a'))?.step, 3);
  const steps: number[] = [];
  for await (const { step } of later.pictures('a')) steps.push(step);
  assert.deepEqual(steps, [1, 2, 3]);
  assert.deepEqual(later.pictureSteps('a'), steps);
});

test('a run folder that is damaged loops nowhere and hides no other run', async context => {
  const folder = temporaryFolder(context);
  const step = (at: number) =>
    JSON.stringify({
      ...{ type: 'step', step: at, steps: 5, loss: 1, seconds: 1, tokensPerSecond: 1, time: 1 },
    });
  const done = JSON.stringify({ type: 'done', out: '/out', time: 2 });
  const runOf = (id: string): string => {
    const path = join(folder, 'runs', id);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'request.json'), JSON.stringify(request(folder, id)));
    writeFileSync(join(path, 'process.json'), JSON.stringify({ pid: 1, started: 1 }));
    return path;
  };
  mkdirSync(join(runOf('a-directory'), 'events.jsonl'));
  writeFileSync(join(runOf('b-zero'), 'events.jsonl'), `${step(0)}\n${step(-5)}\n${done}\n`);
  mkdirSync(join(folder, 'runs', 'c-request', 'request.json'), { recursive: true });
  writeFileSync(join(runOf('d-good'), 'events.jsonl'), `${step(1)}\n${done}\n`);
  const runs = host(context, join(folder, 'runs'));
  await runs.restore();
  assert.equal(runs.get('a-directory')?.status, 'failed');
  assert.equal(runs.get('b-zero')?.status, 'done');
  assert.equal(runs.get('d-good')?.status, 'done');
});
