import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { growthMethodNames } from '../../../src/growth/methods';
import { reportHtml } from '../../../src/host/pages/reportHtml';
import { RunRecord, type DescribePhase } from '../../../src/host/runs/runRecord';
import { DeviceClaims } from '../../../src/host/runs/deviceClaims';
import { localLauncher } from '../../../src/host/runs/launcher';
import { Runs } from '../../../src/host/runs/runs';
import { spawnRun } from '../../../src/host/runs/workerProcess';
import { comparisonDetail, comparisonMoment } from '../../../src/protocol/comparisonState';
import { style } from '../../../src/report/style';
import { builtWorker, comparisonFor, temporaryFolder, until } from '../worker/runFolder';

const detailOf = ({ state }: RunRecord) => comparisonDetail(state.comparison!);
const momentOf = ({ state }: RunRecord) => comparisonMoment(state.comparison!);

test('a comparison can always be taken up again, and tells what it is and which run it makes', () => {
  const record = new RunRecord(comparisonFor('/out'), '/run');
  const tell: DescribePhase = (phase, { at } = {}) => `${phase} ${at?.method}`;
  assert.deepEqual([record.resumable, record.summary(tell).kind], [true, 'compare']);
  const turn = { method: 'stack', seed: 0, ended: 0, runs: 2, time: 0 };
  record.apply({ type: 'comparisonRun', ...turn, state: 'started' });
  assert.equal(record.told(tell), 'comparing stack');
});

test('a comparison that was stopped goes on with the runs that had not ended', async context => {
  const folder = temporaryFolder(context);
  const runs = new Runs({
    folder: join(folder, 'runs'),
    devices: new DeviceClaims(join(folder, 'devices'), () => ''),
    launcher: localLauncher(run =>
      spawnRun({ script: builtWorker, engines: '' }, process.execPath, run),
    ),
    keep: () => 10,
    mayStart: () => true,
    onError: error => assert.fail(error as Error),
  });
  context.after(() => runs.dispose());
  const request = comparisonFor(join(folder, 'out'), { steps: 150, evaluateEvery: 5 });
  const record = await runs.start(request);
  await until('the second run is trained', () => momentOf(record)?.method === 'stack', 60);
  await runs.control(request.id, 'cancel');
  await until('it ended', () => record.ended);
  assert.equal(record.status, 'cancelled');
  const before = detailOf(record).runs[0]!.curve;
  await runs.resume(request.id);
  await until('it ended again', () => record.ended, 60);
  assert.equal(record.status, 'done', record.failure?.message);
  const [random, stack] = detailOf(record).runs;
  assert.deepEqual(random!.curve, before);
  assert.equal(stack!.curve.at(-1)?.step, 150);
  assert.deepEqual([random!.state, stack!.state], ['finished', 'finished']);
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
