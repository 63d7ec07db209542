import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { InterruptedError, UsageError, UserError } from '../../../src/errors';
import type {
  ComparisonReport,
  ComparisonRun,
  FinishedRun,
} from '../../../src/protocol/comparison';
import { comparisonReport } from '../../../src/protocol/comparisonSchemas';
import type { RunEvent } from '../../../src/protocol/events';
import { compare, compareOne } from '../../../src/run/compare/compare';
import { growthSettings, type CompareRequest } from '../../../src/run/compare/request';
import { batchShape } from '../../../src/run/open/data';
import { openModel } from '../../../src/run/open/model';
import { planGrowth, resolveTarget } from '../../../src/run/plan/plan';
import { defaultTrainSettings } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { bible, entries, failure, recorded, temporaryFolder } from './support';
import { remedyText } from '../../support/remedyText';

const target = { layers: 4, hidden: 80 };
const request: Omit<CompareRequest, 'out'> = {
  ...{ checkpoint: example('gpt2-kjv'), target, data: bible },
  methods: ['ligo', 'mslt'],
  seeds: [0, 1],
  training: { ...defaultTrainSettings, steps: 6, warmup: 1 },
  growthSteps: 3,
  evaluateEvery: 2,
};

const readReport = (out: string): ComparisonReport =>
  comparisonReport.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));

/** A report without what no two runs share: the seconds that were taken. */
function timeless(report: unknown): unknown {
  return JSON.parse(
    JSON.stringify(report, (key, value: unknown) => (key === 'seconds' ? undefined : value)),
  );
}

const finished = ({ runs }: ComparisonReport): FinishedRun[] =>
  runs.filter((run): run is FinishedRun => run.state === 'finished');
const runOf = (report: ComparisonReport, method: string, seed: number): FinishedRun =>
  finished(report).find(run => run.method === method && run.seed === seed)!;

const folder = temporaryFolder();
let report: ComparisonReport;
let events: RunEvent[];
before(async () => {
  const whole = recorded();
  report = await compare(whole.context, { ...request, out: join(folder, 'out') });
  ({ events } = whole);
});

describe('a comparison', () => {
  it('leaves a report and a page, and nothing else', () => {
    assert.deepEqual(entries(folder), ['out']);
    assert.deepEqual(entries(join(folder, 'out')), ['report.html', 'report.json']);
    assert.deepEqual(readReport(join(folder, 'out')), report);
  });

  it('makes every method with every seed, and training from scratch though not named', () => {
    const made = report.runs.map(({ method, seed, state }) => `${method}:${seed} ${state}`);
    assert.deepEqual(
      made,
      [0, 1].flatMap(seed =>
        ['random', 'ligo', 'mslt'].map(method => `${method}:${seed} finished`),
      ),
    );
  });

  it('gives the methods of a seed the same batches in the same order', () => {
    assert.equal(report.sameBatches, true);
    for (const seed of [0, 1]) {
      const digests = finished(report).filter(run => run.seed === seed);
      assert.equal(new Set(digests.map(({ fed }) => fed.training)).size, 1);
    }
  });

  it('gives another seed other batches', () => {
    const [first, second] = [runOf(report, 'mslt', 0), runOf(report, 'mslt', 1)];
    assert.notEqual(first.fed.training, second.fed.training);
  });

  it('evaluates every run on the same data at the same steps', () => {
    assert.equal(new Set(finished(report).map(({ fed }) => fed.evaluation)).size, 1);
    for (const { curve } of finished(report)) {
      assert.deepEqual(
        curve.map(({ step }) => step),
        [0, 2, 4, 6],
      );
    }
  });

  it('scores one small model', () => {
    assert.equal(new Set(finished(report).map(({ small }) => small.loss)).size, 1);
    assert.equal(report.small?.loss, finished(report)[0]!.small.loss);
  });

  it('charges every step, and learning before it', () => {
    const [scratch, ligo] = [runOf(report, 'random', 0), runOf(report, 'ligo', 0)];
    const { exact, paper } = report.flopsPerStep;
    assert.deepEqual(
      scratch.curve.map(({ flops, paperFlops }) => [flops, paperFlops]),
      [0, 2, 4, 6].map(step => [step * exact, step * paper]),
    );
    assert.equal(ligo.growth.steps, 3);
    assert.ok(ligo.growth.flops > 0);
    assert.equal(ligo.curve[0]!.flops, ligo.growth.flops);
    assert.equal(ligo.curve.at(-1)!.flops, ligo.growth.flops + 6 * exact);
    assert.ok(ligo.curve[0]!.seconds > 0);
  });

  it('charges for learning what the plan said beforehand', async () => {
    const model = await openModel(example('gpt2-kjv'));
    await model.checkpoint.close();
    const settings = growthSettings(request, 'ligo');
    const shape = batchShape(model.architecture, bible);
    const plan = planGrowth(model, await resolveTarget(model, target), settings, shape);
    assert.equal(runOf(report, 'ligo', 0).growth.flops, plan.cost?.flops);
  });

  it('charges a stage that trains only some layers for no more than it computes', () => {
    const [staged, scratch] = [runOf(report, 'mslt', 0), runOf(report, 'random', 0)];
    // Half of the steps train the top; the other half is as dear as anyone's.
    assert.ok(staged.curve[1]!.flops < 0.9 * scratch.curve[1]!.flops);
    const last = (run: FinishedRun): number => run.curve[3]!.flops - run.curve[2]!.flops;
    assert.equal(last(staged), last(scratch));
  });

  it('tells every point of a curve, with what was spent', () => {
    for (const { method, seed, curve } of finished(report)) {
      const told = events.flatMap(event =>
        event.type === 'comparison' &&
        event.phase === 'training' &&
        event.method === method &&
        event.seed === seed
          ? [[event.step, event.loss, event.flops]]
          : [],
      );
      assert.deepEqual(
        told,
        curve.map(({ step, loss, flops }) => [step, loss, flops]),
      );
    }
    const growing = events.filter(event => event.type === 'comparison' && event.phase === 'growth');
    assert.equal(growing.length, 2 * 3);
    const ends = events.filter(
      event => event.type === 'comparisonRun' && event.state === 'finished',
    );
    assert.deepEqual(
      ends.map(event => event.type === 'comparisonRun' && event.ended),
      [1, 2, 3, 4, 5, 6],
    );
    assert.equal(events.at(-1)?.type, 'done');
  });

  it('tells steps between evaluations, twice a second at most', async () => {
    const { context, events: told } = recorded();
    let looks = 0;
    await compare(
      // Every look at the clock is 0.2 s later.
      { ...context, now: () => context.now() + 200 * looks++ },
      {
        ...{ ...request, methods: [], seeds: [0], out: join(temporaryFolder(), 'out') },
        ...{ training: { ...request.training, steps: 20 }, evaluateEvery: 20 },
      },
    );
    const steps = told.flatMap(event => (event.type === 'comparisonStep' ? [event] : []));
    assert.ok(steps.length >= 4, `${steps.length} steps were told`);
    for (const [index, { method, seed, step, steps: all, seconds, time }] of steps.entries()) {
      assert.deepEqual([method, seed, all], ['random', 0, 20]);
      const before = steps[index - 1];
      if (!before) continue;
      assert.ok(step > before.step && seconds > before.seconds);
      assert.ok(time - before.time >= 500, `${time - before.time} ms`);
    }
    // Where time stands still no step is due.
    assert.ok(!events.some(({ type }) => type === 'comparisonStep'));
  });

  it('says that a method compared with itself saves nothing', () => {
    const itself = report.methods.find(({ method }) => method === 'random')!;
    for (const kind of ['flops', 'paperFlops', 'seconds'] as const) {
      assert.deepEqual(itself.savings?.[kind], { mean: 0, least: 0, most: 0 });
    }
  });
});

describe('a comparison that is stopped', () => {
  it('keeps the runs that ended, and ends with the same runs when resumed', async () => {
    const place = temporaryFolder();
    const own = { ...request, seeds: [0], out: join(place, 'out') };
    // While the second run grows.
    const first = recorded((event, stop) => {
      if (event.type === 'comparison' && event.phase === 'growth') stop();
    });
    const error = await failure(
      compare(first.context, own),
      InterruptedError,
      /^Stopped after 1 of 3 runs, which are kept/,
    );
    assert.match(remedyText(error.remedy), /--resume/);
    assert.deepEqual(entries(place), ['out.run']);
    assert.deepEqual(entries(join(place, 'out.run')), ['ligo-0.growth.run', 'random-0.json']);

    const second = recorded();
    const resumed = await compare(second.context, { ...own, resume: true });
    const started = second.events.flatMap(event =>
      event.type === 'comparisonRun' && event.state === 'started' ? [event.method] : [],
    );
    assert.deepEqual(started, ['ligo', 'mslt']);
    assert.deepEqual(timeless(resumed.runs), timeless(report.runs.slice(0, 3)));
    assert.deepEqual(entries(place), ['out']);
  });

  it('is not begun anew by accident, nor resumed with other settings', async () => {
    const out = join(temporaryFolder(), 'out');
    const few = { ...request, methods: ['stack'] as const, seeds: [0], out };
    await compareOne(recorded().context, few, { method: 'random', seed: 0 });
    await failure(compare(recorded().context, few), UsageError, /holds 1 run of/);
    const other = { ...few, training: { ...few.training, learningRate: 0.5 }, resume: true };
    await failure(compare(recorded().context, other), UserError, /other settings/);
    const damaged = join(`${out}.run`, 'random-0.json');
    writeFileSync(damaged, '{"version":1}');
    const resumed = compare(recorded().context, { ...few, resume: true });
    await failure(resumed, UserError, /random-0\.json is damaged/);
  });
});

describe('runs that are made elsewhere', () => {
  it('are the runs that would be made here', async () => {
    const place = temporaryFolder();
    const own = { ...request, methods: [], out: join(place, 'out'), parallel: 2 };
    const { context, events: told } = recorded();
    const made = await compare(context, own, async (name, { emit, signal }) => {
      await compareOne({ ...recorded().context, emit, signal }, own, name);
    });
    const scratch = report.runs.filter(({ method }) => method === 'random');
    assert.deepEqual(timeless(made.runs), timeless(scratch));
    assert.ok(told.some(event => event.type === 'comparison' && event.seed === 1));
    assert.deepEqual(entries(place), ['out']);
  });

  it('must be runs of the comparison', async () => {
    const own = { ...request, out: join(temporaryFolder(), 'out') };
    const job = compareOne(recorded().context, own, { method: 'copy', seed: 0 });
    await failure(job, UsageError, /copy:0 is no run of this comparison/);
  });

  it('fail the comparison when they leave nothing', async () => {
    const place = temporaryFolder();
    const own = { ...request, out: join(place, 'out'), parallel: 2 };
    const job = compare(recorded().context, own, () => Promise.resolve());
    await failure(job, UserError, /left no result/);
    assert.deepEqual(entries(place), []);
  });
});

describe('a method that fails', () => {
  it('is told with its reason, and the others go on', async () => {
    const made = await compare(recorded().context, {
      ...{ ...request, seeds: [0], out: join(temporaryFolder(), 'out') },
      // More than twice the layers are not for this method.
      ...{ target: { layers: 7 }, methods: ['mslt', 'stack'] as const },
    });
    const state = ({ method, state: how }: ComparisonRun): string => `${method} ${how}`;
    assert.deepEqual(made.runs.map(state), ['random finished', 'mslt failed', 'stack finished']);
    const failed = made.methods.at(-1)!;
    assert.equal(failed.method, 'mslt');
    assert.match(failed.failures[0]!.message, /from 3 layers it makes 4 to 6, not 7/);
  });

  it('is told when its training diverges', async () => {
    const training = { ...request.training, learningRate: 1e30 };
    const own = { ...request, training, methods: [], seeds: [0] };
    const out = join(temporaryFolder(), 'out');
    const made = await compare(recorded().context, { ...own, out });
    for (const run of made.runs) {
      assert.equal(run.state, 'failed');
      assert.match(run.state === 'failed' ? run.message : '', /stopped being a number/);
    }
    assert.equal(made.methods[0]?.savings, undefined);
  });
});

describe('the small model’s own training', () => {
  const few = { ...request, methods: ['stack'] as const, seeds: [0] };

  it('is counted when the options tell it', async () => {
    const made = await compare(recorded().context, {
      ...{ ...few, out: join(temporaryFolder(), 'out') },
      smallTraining: { steps: 2, batchSize: 4 },
    });
    const { flops, ...told } = made.smallTraining!;
    assert.deepEqual(told, { steps: 2, batchSize: 4, from: 'the options' });
    const scratch = runOf(made, 'random', 0).curve;
    assert.ok(flops > 0 && flops < scratch[1]!.flops, 'two steps of a smaller model cost less');
    const stack = made.methods.find(({ method }) => method === 'stack')!;
    const { flops: plain, flopsWithSmall } = stack.seeds[0]!.savings!;
    // What scratch spent to reach its own end is what both savings are shares of.
    const lowest = Math.min(...scratch.map(({ loss }) => loss));
    assert.equal(scratch.at(-1)!.loss, lowest);
    const difference = plain - flopsWithSmall!;
    assert.ok(Math.abs(difference - flops / scratch.at(-1)!.flops) < 1e-12);
  });

  it('is not told when nobody knows it', () => {
    assert.equal(report.smallTraining, undefined);
    const savings = report.methods.map(({ savings: each }) => each?.flopsWithSmall);
    assert.ok(savings.every(each => each === undefined));
  });
});

describe('a request that makes no comparison', () => {
  const own = { ...request, out: '/nowhere' };
  for (const [what, changed, says] of [
    ['a method twice', { methods: ['stack', 'stack'] }, /stack is named twice/],
    ['a seed twice', { seeds: [1, 1] }, /seed 1 is named twice/],
    ['evaluations too far apart', { evaluateEvery: 7 }, /every 7 steps never happens in 6/],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      await failure(compare(recorded().context, { ...own, ...changed }), UsageError, says);
    });
  }
});
