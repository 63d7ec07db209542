import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { growthMethodNames } from '../../../src/growth/methods';
import { ComparisonRecord } from '../../../src/host/runs/comparisonRecord';
import { reportHtml } from '../../../src/host/pages/reportHtml';
import { RunRecord } from '../../../src/host/runs/runRecord';
import { DeviceClaims } from '../../../src/host/runs/deviceClaims';
import { Runs } from '../../../src/host/runs/runs';
import { spawnRun } from '../../../src/host/runs/workerProcess';
import type { LoggedEvent } from '../../../src/protocol/events';
import { style } from '../../../src/report/style';
import { builtWorker, comparisonFor, temporaryFolder, until } from '../worker/runFolder';

type RunEventOf<T extends LoggedEvent['type']> = Extract<LoggedEvent, { type: T }>;

const started = (method: string, ended: number): RunEventOf<'comparisonRun'> => ({
  ...{ type: 'comparisonRun', method, seed: 0, state: 'started', ended, runs: 3, time: 0 },
});
const finished = (method: string, ended: number): RunEventOf<'comparisonRun'> => ({
  ...started(method, ended),
  ...{ state: 'finished', smallLoss: 3.5, lossUnit: 'nats' },
});
const trained = (method: string, step: number, loss = 4): RunEventOf<'comparison'> => ({
  ...{ type: 'comparison', method, seed: 0, phase: 'training', step, steps: 100, loss, time: 0 },
  ...{ flops: 1000 + 10 * step, seconds: 1 + step / 10 },
});
const grown = (method: string, step: number): RunEventOf<'comparison'> => ({
  ...trained(method, step),
  phase: 'growth',
});

const stepped = (method: string, step: number, seconds: number): RunEventOf<'comparisonStep'> => ({
  ...{ type: 'comparisonStep', method, seed: 0, step, steps: 100, seconds, time: 0 },
});

/** A comparison of three methods, 100 steps each, after some events. */
function recordAfter(...events: LoggedEvent[]): RunRecord {
  const methods = ['random', 'ligo', 'stack'];
  const record = new RunRecord(comparisonFor('/out', { methods, steps: 100 }), '/run');
  record.apply({ type: 'device', engine: 'cpu', device: 'CPU', time: 0 });
  for (const event of events) record.apply(event);
  return record;
}
const statesOf = (record: RunRecord) => record.comparison!.detail.runs.map(({ state }) => state);
const tell = (phase: string): string => phase;

describe('the record of a comparison', () => {
  it('knows all runs before the first began', () => {
    const { comparison, phase } = recordAfter();
    assert.deepEqual(
      comparison!.detail.runs.map(({ method, state }) => [method, state]),
      [
        ['random', 'waiting'],
        ['ligo', 'waiting'],
        ['stack', 'waiting'],
      ],
    );
    assert.deepEqual(comparison!.progress, { step: 0, steps: 300 });
    assert.equal(phase, 'measuring');
  });

  it('tells the run that is being made, its phase and its step', () => {
    const record = recordAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 100)],
      ...[finished('random', 1), started('ligo', 1), grown('ligo', 7)],
    );
    assert.equal(record.phase, 'comparing');
    assert.deepEqual(record.comparison!.moment, {
      ...{ run: 2, runs: 3, method: 'ligo', seed: 0, phase: 'growing', step: 7, steps: 100 },
    });
    assert.deepEqual(statesOf(record), ['finished', 'growing', 'waiting']);
    record.apply(trained('ligo', 40));
    assert.equal(record.comparison!.moment?.phase, 'training');
    const { smallLoss, lossUnit } = record.comparison!.detail;
    assert.deepEqual({ smallLoss, lossUnit }, { smallLoss: 3.5, lossUnit: 'nats' });
  });

  it('draws held-out losses only, and those that are no number as such', () => {
    const record = recordAfter(
      ...[started('random', 0), grown('random', 1), trained('random', 0)],
      trained('random', 10, NaN),
    );
    const [run] = record.comparison!.detail.runs;
    assert.deepEqual(run!.curve, [
      { step: 0, loss: 4, flops: 1000, seconds: 1 },
      { step: 10, loss: NaN, flops: 1100, seconds: 2 },
    ]);
  });

  it('forgets the curve of a run that is made again', () => {
    const record = recordAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 60)],
      { type: 'failed', message: 'Stopped.', remedy: 'Resume.', interrupted: true, time: 0 },
      ...[started('random', 0), trained('random', 0, 5)],
    );
    const [run] = record.comparison!.detail.runs;
    assert.deepEqual(
      run!.curve.map(({ loss }) => loss),
      [5],
    );
    assert.equal(record.status, 'running');
  });

  it('estimates the time left by what steps have taken', () => {
    const record = recordAfter(started('random', 0), trained('random', 0), trained('random', 50));
    // 6 seconds for 50 steps, and 250 steps to go.
    assert.equal(record.summary(tell).secondsLeft, 30);
  });

  it('moves between evaluations, without a point of the curve', () => {
    const record = recordAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 50)],
      stepped('random', 60, 9),
    );
    assert.equal(record.comparison!.moment?.step, 60);
    assert.deepEqual(record.comparison!.progress, { step: 60, steps: 300 });
    // 9 seconds for 60 steps, and 240 steps to go.
    assert.equal(record.summary(tell).secondsLeft, 36);
    const [run] = record.comparison!.detail.runs;
    assert.deepEqual(
      run!.curve.map(({ step }) => step),
      [0, 50],
    );
  });

  it('counts the steps of runs that are made at the same time', () => {
    const record = recordAfter(
      ...[started('random', 0), started('ligo', 0), trained('random', 0), trained('ligo', 0)],
      ...[stepped('random', 30, 3), stepped('ligo', 20, 3)],
    );
    assert.deepEqual(record.comparison!.progress, { step: 50, steps: 300 });
    // 6 seconds for 50 steps, and 250 steps to go.
    assert.equal(record.summary(tell).secondsLeft, 30);
    record.apply(finished('ligo', 1));
    assert.equal(record.comparison!.moment?.method, 'random');
    assert.equal(record.comparison!.moment?.step, 30);
  });

  it('moves while operators are learned, and counts those steps', () => {
    const progress = (record: RunRecord) => record.comparison!.progress;
    const record = recordAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 100)],
      ...[finished('random', 1), started('ligo', 1), grown('ligo', 20)],
    );
    assert.deepEqual(progress(record), { step: 120, steps: 400 });
    // 11 and 3 seconds for 120 steps, and 280 steps to go.
    assert.equal(record.summary(tell).secondsLeft, (14 / 120) * 280);
    for (const event of [grown('ligo', 100), trained('ligo', 0)]) record.apply(event);
    assert.deepEqual(progress(record), { step: 200, steps: 400 });
    record.apply(trained('ligo', 40));
    assert.deepEqual(progress(record), { step: 240, steps: 400 });
    // Taken up again, it trains on with the operators that it had learned.
    for (const event of [started('ligo', 1), trained('ligo', 40)]) record.apply(event);
    assert.deepEqual(progress(record), { step: 240, steps: 400 });
    record.apply(finished('ligo', 2));
    assert.deepEqual(progress(record), { step: 300, steps: 400 });
  });

  it('tells the time left already while the first run learns', () => {
    const record = recordAfter(started('ligo', 0), grown('ligo', 50));
    // 6 seconds for 50 steps, and 350 steps to go.
    assert.equal(record.summary(tell).secondsLeft, 42);
  });

  it('expects of every seed what the first told of learning', () => {
    const methods = ['random', 'ligo'];
    const record = new ComparisonRecord({ methods, seeds: [0, 1], steps: 100 });
    record.applyRun({ ...started('ligo', 0), runs: 4 });
    assert.deepEqual(record.progress, { step: 0, steps: 400 });
    record.applyProgress({ ...grown('ligo', 5), steps: 10 });
    assert.deepEqual(record.progress, { step: 5, steps: 420 });
  });

  it('can always be taken up again, and says that it writes once all runs ended', () => {
    const record = recordAfter(finished('random', 1), finished('ligo', 2), {
      ...finished('stack', 3),
      state: 'failed',
      message: 'Stack cannot.',
    });
    assert.equal(record.resumable, true);
    assert.equal(record.phase, 'reporting');
    assert.equal(record.comparison!.detail.runs[2]!.message, 'Stack cannot.');
    assert.equal(record.summary(tell).kind, 'compare');
  });
});

test('a comparison that was stopped goes on with the runs that had not ended', async context => {
  const folder = temporaryFolder(context);
  const runs = new Runs({
    folder: join(folder, 'runs'),
    devices: new DeviceClaims(join(folder, 'devices'), () => ''),
    launch: run => spawnRun({ script: builtWorker, engines: '' }, process.execPath, run),
    keep: () => 10,
    mayStart: () => true,
    onError: error => assert.fail(error as Error),
  });
  context.after(() => runs.dispose());
  const request = comparisonFor(join(folder, 'out'), { steps: 150, evaluateEvery: 5 });
  const record = await runs.start(request);
  await until('the second run is trained', () => record.comparison?.moment?.method === 'stack', 60);
  await runs.control(request.id, 'cancel');
  await until('it ended', () => record.ended);
  assert.equal(record.status, 'cancelled');
  const before = record.comparison!.detail.runs[0]!.curve;
  await runs.resume(request.id);
  await until('it ended again', () => record.ended, 60);
  assert.equal(record.status, 'done', record.failure?.message);
  const [random, stack] = record.comparison!.detail.runs;
  assert.deepEqual(random!.curve, before);
  assert.equal(stack!.curve.at(-1)?.step, 150);
  assert.deepEqual(statesOf(record), ['finished', 'finished']);
});

describe('a report in the editor', () => {
  const page = `<!doctype html><html><head><meta charset="utf-8" /><meta
    http-equiv="Content-Security-Policy"
    content="default-src 'none'; style-src 'sha256-x'"
  /><style>${style}</style></head><body></body></html>`;

  it('stands under one policy, which allows no script and nothing remote', () => {
    const html = reportHtml(page, true);
    assert.equal(html.match(/Content-Security-Policy/g)?.length, 1);
    const policy = /<head><meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html);
    assert.equal(
      policy?.[1],
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'",
    );
  });

  it('stands under that policy before anything else, also when it is no report of ours', () => {
    for (const other of ['<img src="https://example.org">', '<HEAD><base href="//example.org">']) {
      const html = reportHtml(other, true);
      assert.match(html, /^<!doctype html><head><meta http-equiv="Content-Security-Policy"/);
      assert.ok(html.endsWith(other));
    }
  });

  it('is as dark as the editor, whatever the system is', () => {
    assert.match(reportHtml(page, true), /@media all\{:root/);
    assert.match(reportHtml(page, false), /@media not all\{:root/);
    assert.doesNotMatch(reportHtml(page, true), /prefers-color-scheme/);
    assert.match(reportHtml(page, false), /color-scheme:light;/);
  });
});

test('the tool for language models offers every method', () => {
  const manifest = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as {
    contributes: {
      languageModelTools: {
        name: string;
        inputSchema: { properties: Record<string, { enum?: string[] }> };
      }[];
    };
  };
  const tool = manifest.contributes.languageModelTools.find(
    ({ name }) => name === 'ligo_grow_model',
  );
  assert.deepEqual(tool?.inputSchema.properties['method']?.enum, growthMethodNames);
});
