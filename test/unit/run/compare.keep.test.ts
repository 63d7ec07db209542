import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { InterruptedError } from '../../../src/errors';
import type { ComparisonReport, FailedRun } from '../../../src/protocol/comparison';
import { comparisonReport } from '../../../src/protocol/comparisonSchemas';
import type { Receipt } from '../../../src/protocol/events';
import { growthReceipt } from '../../../src/protocol/receiptSchemas';
import { compare } from '../../../src/run/compare/compare';
import { keptRuns, modelsAtMost, modelsInTheEnd } from '../../../src/run/compare/keep';
import type { CompareRequest } from '../../../src/run/compare/request';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { defaultTrainSettings } from '../../../src/run/settings';
import type { TrainingReceipt } from '../../../src/run/write/trainingReceipt';
import { example } from '../../support/fixtures';
import { finishedRun } from './compareRuns';
import { bible, contents, entries, failure, recorded, temporaryFolder } from './support';

const request: Omit<CompareRequest, 'out'> = {
  ...{ checkpoint: example('gpt2-kjv'), target: { layers: 3, hidden: 80 }, data: bible },
  ...{ methods: ['ligo', 'stack'], seeds: [0], growthSteps: 2, evaluateEvery: 2 },
  training: { ...defaultTrainSettings, steps: 4, warmup: 1 },
};
const reported = (out: string): ComparisonReport =>
  comparisonReport.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
const json = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8')) as T;

describe('which models are kept', () => {
  const scratch = finishedRun('random', [
    [0, 7],
    [10, 5],
  ]);
  const stack = finishedRun('stack', [
    [0, 6],
    [10, 4.5],
  ]);
  const ligo = finishedRun('ligo', [
    [0, 4.9],
    [10, 4.8],
  ]);
  const names = (runs: Parameters<typeof keptRuns>[1], keep = 'winner', seeds = [0]) =>
    keptRuns({ keep: keep as 'winner', seeds }, runs).map(
      ({ method, seed }) => `${method} ${seed}`,
    );

  it('is those of the first method of the report, whatever its end', () => {
    assert.deepEqual(names([scratch, stack, ligo]), ['ligo 0']);
    assert.deepEqual(names([scratch, stack]), ['stack 0']);
    assert.deepEqual(names([scratch]), ['random 0']);
    assert.deepEqual(names([]), []);
  });

  it('is not decided before training from scratch has ended', () => {
    assert.deepEqual(names([stack, ligo]).sort(), ['ligo 0', 'stack 0']);
  });

  it('is of several seeds the one that ended lowest, decided when all have ended', () => {
    const other = (losses: [number, number][], method: string) =>
      finishedRun(method, losses, { seed: 1 });
    const scratch1 = other(
      [
        [0, 7],
        [10, 5],
      ],
      'random',
    );
    const ligo1 = other(
      [
        [0, 4.9],
        [10, 4.7],
      ],
      'ligo',
    );
    const first = [scratch, stack, ligo];
    assert.deepEqual(names(first, 'winner', [0, 1]).sort(), ['ligo 0', 'random 0', 'stack 0']);
    const most = [...first, scratch1, ligo1];
    assert.deepEqual(names(most, 'winner', [0, 1]).sort(), ['ligo 1', 'stack 0']);
    const stack1 = other(
      [
        [0, 6],
        [10, 4],
      ],
      'stack',
    );
    assert.deepEqual(names([...most, stack1], 'winner', [0, 1]), ['ligo 1']);
    const all = names([...most, stack1], 'all', [0, 1]);
    assert.equal(all[0], 'ligo 1');
    assert.equal(all.length, 6);
  });

  it('leaves out methods that failed', () => {
    const failed: FailedRun = { state: 'failed', method: 'ligo', seed: 0, message: '', remedy: '' };
    assert.deepEqual(names([scratch, failed, stack]), ['stack 0']);
    assert.deepEqual(names([scratch, failed, stack], 'all'), ['stack 0', 'random 0']);
    assert.deepEqual(names([scratch, stack], 'none'), []);
  });

  it('says how many lie on the disk', () => {
    const asked = (keep: 'winner' | 'all' | 'none', seeds: number[]) => {
      const of = { keep, seeds, methods: ['ligo', 'stack'] as const };
      return [modelsAtMost(of), modelsInTheEnd(of)];
    };
    assert.deepEqual(asked('winner', [0]), [2, 1]);
    assert.deepEqual(asked('winner', [0, 1]), [4, 1]);
    assert.deepEqual(asked('all', [0, 1]), [6, 6]);
    assert.deepEqual(asked('none', [0]), [0, 0]);
  });
});

describe('a comparison that keeps all models', () => {
  const parent = temporaryFolder();
  const out = join(parent, 'out');
  let report: ComparisonReport;
  before(async () => {
    report = await compare(recorded().context, { ...request, out, keep: 'all' });
  });

  it('has them beside the report, in folders named for the methods', () => {
    assert.deepEqual(entries(parent), ['out']);
    assert.deepEqual(entries(out), ['ligo', 'random', 'report.html', 'report.json', 'stack']);
    assert.deepEqual(reported(out).models, report.models);
    assert.equal(report.models![0]!.method, report.methods[0]!.method);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    for (const { folder } of report.models!) assert.ok(page.includes(`<code>${folder}</code>`));
  });

  it('whose held-out losses are those of the report, to the bit', async () => {
    for (const { folder, loss } of report.models!) {
      const checkpoint = join(out, folder);
      const scores = await evaluateCheckpoint(recorded().context, { checkpoint, data: bible });
      assert.equal(scores.loss, loss, folder);
      const training = json<TrainingReceipt>(checkpoint, 'training.json');
      assert.equal(training.after.loss, loss);
      assert.deepEqual([training.steps, training.seed], [4, 0]);
      const receipt: Receipt = growthReceipt.parse(json(checkpoint, 'growth.json'));
      assert.equal(receipt.method.name, folder);
      assert.equal(receipt.losses!.after.loss, training.before.loss);
      assert.match(readFileSync(join(checkpoint, 'README.md'), 'utf8'), /grown and trained/);
    }
  });

  it('finds the same as one that keeps none', async () => {
    const other = join(parent, 'none');
    const none = await compare(recorded().context, { ...request, out: other, keep: 'none' });
    assert.deepEqual(entries(other), ['report.html', 'report.json']);
    assert.equal(none.models, undefined);
    assert.equal(none.digest, report.digest);
  });

  it('has the same models when it was stopped and gone on with', async () => {
    const again = join(parent, 'again');
    const { context } = recorded((event, stop) => {
      if (event.type === 'comparisonRun' && event.state === 'started' && event.ended === 1) stop();
    });
    const stopped = { ...request, out: again, keep: 'all' as const };
    await failure(compare(context, stopped), InterruptedError, /after 1 of 3 runs/);
    assert.ok(entries(join(parent, 'again.run')).includes('random-0.model'));
    await compare(recorded().context, { ...stopped, resume: true });
    for (const { folder } of report.models!) {
      const [first, second] = [contents(join(out, folder)), contents(join(again, folder))];
      for (const name of ['model.safetensors', 'config.json', 'tokenizer.json']) {
        assert.equal(first[name], second[name], `${folder}/${name}`);
      }
    }
    rmSync(again, { recursive: true });
    assert.ok(!entries(parent).includes('again.run'));
  });
});

describe('a comparison that keeps its winner', () => {
  it('has its model alone, and no others lie on the disk when it is known', async () => {
    const parent = temporaryFolder();
    const out = join(parent, 'out');
    const most: number[] = [];
    const { context } = recorded(event => {
      if (event.type !== 'comparisonRun' || event.state !== 'finished') return;
      most.push(entries(join(parent, 'out.run')).filter(name => /\.model/.test(name)).length);
    });
    const report = await compare(context, { ...request, out, keep: 'winner' });
    const [winner] = report.methods;
    assert.deepEqual(entries(out), [winner!.method, 'report.html', 'report.json'].sort());
    assert.deepEqual(most, [1, 1, 1]);
  });

  it('says so where the run had ended while nothing was kept', async () => {
    const parent = temporaryFolder();
    const out = join(parent, 'out');
    const { context } = recorded((event, stop) => {
      if (event.type === 'comparisonRun' && event.state === 'started' && event.ended === 2) stop();
    });
    const all = { ...request, out };
    await failure(compare(context, { ...all, keep: 'none' }), InterruptedError, /after 2 of 3/);
    const report = await compare(recorded().context, { ...all, keep: 'all', resume: true });
    const notes = report.notes.map(({ message }) => message).join('\n');
    assert.match(notes, /The model of random with seed 0 is not there: it was not kept/);
    assert.deepEqual(
      report.models?.map(({ method }) => method),
      ['stack'],
    );
  });
});
