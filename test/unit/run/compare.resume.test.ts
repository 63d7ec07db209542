import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { InterruptedError, UserError } from '../../../src/errors';
import type { ComparisonReport } from '../../../src/protocol/comparison';
import type { RunEvent } from '../../../src/protocol/events';
import { compare, compareOne } from '../../../src/run/compare/compare';
import type { CompareRequest } from '../../../src/run/compare/request';
import type { RunContext } from '../../../src/run/context';
import { defaultTrainSettings } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { bible, entries, failure, recorded, temporaryFolder } from './support';
import { remedyText } from '../../support/remedyText';

const training = { ...defaultTrainSettings, steps: 6, warmup: 1 };
/** Runs of one stage, of two, of one that trains a part, and one that learns before. */
const request: Omit<CompareRequest, 'out'> = {
  ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, data: bible, training },
  methods: ['ligo', 'mslt', 'llama-pro'],
  seeds: [0],
  growthSteps: 3,
  evaluateEvery: 2,
};
const stepsOfRun = { growth: request.growthSteps, training: training.steps };

/** A report's bytes without the seconds that were taken, which no two comparisons share. */
const timeless = (report: unknown): string =>
  JSON.stringify(report, (key, value: unknown) => (/seconds$/i.test(key) ? undefined : value), 2);

/** A context that counts steps of all phases, and may stop or die after one of them. */
function counted(at?: { step: number; end: 'stop' | 'die' }) {
  const made = { steps: 0, minutes: 0 };
  const { context, events } = recorded();
  const controller = new AbortController();
  const watched: RunContext = {
    ...context,
    signal: controller.signal,
    // Every look at the clock is a minute later, so that whatever is saved now and then is saved.
    now: () => context.now() + 60_000 * made.minutes++,
    betweenSteps: async () => {
      made.steps++;
      if (made.steps !== at?.step) return;
      if (at.end === 'die') throw new Error('killed');
      controller.abort();
    },
  };
  return { made, events, context: watched };
}

const warnings = (events: readonly RunEvent[]): string[] =>
  events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
const created = (report: ComparisonReport): unknown => ({ ...report, created: '' });

let whole: ComparisonReport;
let toldByWhole: readonly RunEvent[];
const all = stepsOfRun.growth + 4 * stepsOfRun.training;
before(async () => {
  const { context, made, events } = counted();
  whole = await compare(context, { ...request, out: join(temporaryFolder(), 'out') });
  toldByWhole = events;
  assert.equal(made.steps, all);
});

describe('a comparison that is stopped in the midst of a run', () => {
  it('goes on with the very next step each time, and ends with the report of one that was not', async () => {
    const place = temporaryFolder();
    const own = { ...request, out: join(place, 'out') };
    // Scratch first, then LiGO, MSLT whose stages meet after three steps, and LLaMA-Pro.
    const stops: readonly (readonly [after: number, left: string])[] = [
      [4, 'random-0.run'],
      [6 + 2, 'ligo-0.growth.run'],
      [6 + 3 + 1, 'ligo-0.run'],
      [15 + 2, 'mslt-0.run'],
      [15 + 3, 'mslt-0.run'],
      [15 + 5, 'mslt-0.run'],
      [21 + 3, 'llama-pro-0.run'],
    ];
    let made = 0;
    for (const [after, left] of stops) {
      const { context } = counted({ step: after - made, end: 'stop' });
      const job = compare(context, { ...own, resume: made > 0 });
      const error = await failure(job, InterruptedError, /^Stopped .* kept in .*out\.run/);
      assert.match(remedyText(error.remedy), /--resume/);
      const states = entries(join(place, 'out.run')).filter(name => name.endsWith('.run'));
      assert.deepEqual(states, [left]);
      made = after;
    }
    const last = counted();
    const resumed = await compare(last.context, { ...own, resume: true });
    assert.equal(last.made.steps, all - made);
    assert.equal(timeless(created(resumed)), timeless(created(whole)));
    assert.equal(resumed.digest, whole.digest);
    assert.deepEqual(entries(place), ['out']);
    assert.deepEqual(warnings(last.events), warnings(toldByWhole));
  });

  it('tells again what the run had told before, so that who listens from now on knows it', async () => {
    const own = { ...request, methods: [], out: join(temporaryFolder(), 'out') };
    const first = counted({ step: 4, end: 'stop' });
    await failure(compare(first.context, own), InterruptedError, /^Stopped /);
    const second = counted();
    await compare(second.context, { ...own, resume: true });
    const told = second.events.flatMap(event => (event.type === 'comparison' ? [event.step] : []));
    assert.deepEqual(told, [0, 2, 4, 6]);
  });
});

describe('the digest of a report', () => {
  it('is that of the same comparison made again, and not that of another', async () => {
    const few = { ...request, methods: [], training: { ...training, steps: 2 } };
    const make = (change: Partial<CompareRequest> = {}) =>
      compare(recorded().context, { ...few, ...change, out: join(temporaryFolder(), 'out') });
    const first = await make();
    assert.match(first.digest!, /^[0-9a-f]{64}$/);
    assert.equal((await make({ command: 'ligo compare' })).digest, first.digest);
    assert.notEqual((await make({ seeds: [1] })).digest, first.digest);
  });
});

describe('a comparison whose process was killed', () => {
  it('goes on where it was last saved: at an evaluation, or after learning', async () => {
    const place = temporaryFolder();
    const own = { ...request, out: join(place, 'out') };
    const first = counted({ step: 5, end: 'die' });
    await assert.rejects(compare(first.context, own), /killed/);
    // From the evaluation after four steps to the first step after LiGO has learned.
    const second = counted({ step: 2 + 3 + 1, end: 'die' });
    await assert.rejects(compare(second.context, { ...own, resume: true }), /killed/);
    const third = counted();
    const resumed = await compare(third.context, { ...own, resume: true });
    assert.equal(third.made.steps, all - 6 - 3);
    assert.equal(timeless(created(resumed)), timeless(created(whole)));
    assert.equal(resumed.digest, whole.digest);
    assert.deepEqual(entries(place), ['out']);
  });
});

describe('the state of a half-made run', () => {
  const few = { ...request, methods: [] as const };
  /** Leaves a state after four of six steps. */
  async function stopped(changes: Partial<CompareRequest> = {}) {
    const place = temporaryFolder();
    const own: CompareRequest = { ...few, ...changes, out: join(place, 'out') };
    const { context } = counted({ step: 4, end: 'stop' });
    await failure(compare(context, own), InterruptedError, /before the first of 1 run ended/);
    return { place, own, state: join(place, 'out.run', 'random-0.run') };
  }

  it('is saved now and then only: writing weights takes its time', async () => {
    const { context } = counted({ step: 5, end: 'die' });
    const still = { ...context, now: () => 0 };
    const place = temporaryFolder();
    await assert.rejects(compare(still, { ...few, out: join(place, 'out') }), /killed/);
    assert.deepEqual(entries(place), []);
  });

  for (const [what, damage] of [
    ['weights are cut off', (state: string) => truncateSync(join(state, 'state.safetensors'), 999)],
    ['summary is no JSON', (state: string) => writeFileSync(join(state, 'run.json'), '{"ver')],
  ] as const) {
    it(`is told and left aside when its ${what}`, async () => {
      const { place, own, state } = await stopped();
      damage(state);
      const second = counted();
      const { runs } = await compare(second.context, { ...own, resume: true });
      assert.equal(warnings(second.events).filter(each => /is damaged/.test(each)).length, 1);
      assert.equal(second.made.steps, 6);
      assert.equal(timeless(runs), timeless(whole.runs.slice(0, 1)));
      assert.deepEqual(entries(place), ['out']);
    });
  }

  it('is not gone on with under other settings, nor begun anew by accident', async () => {
    const { own } = await stopped();
    await failure(compare(counted().context, own), UserError, /holds 1 run of/);
    const other = { ...own, training: { ...training, learningRate: 0.5 }, resume: true };
    await failure(compare(counted().context, other), UserError, /random-0\.run belongs to/);
    const anew = counted();
    await compare(anew.context, { ...own, overwrite: true });
    assert.equal(anew.made.steps, 6);
  });

  it('is left aside by a run that is made alone and not resumed', async () => {
    const { own, state } = await stopped();
    const alone = counted();
    await compareOne(alone.context, own, { method: 'random', seed: 0 });
    assert.equal(alone.made.steps, 6);
    assert.deepEqual(entries(join(state, '..')), ['random-0.json']);
    const again = counted();
    await compareOne(again.context, { ...own, resume: true }, { method: 'random', seed: 0 });
    assert.equal(again.made.steps, 0);
  });

  it('that cannot be written is told once and stops nothing', async () => {
    const place = temporaryFolder();
    const own = { ...few, out: join(place, 'out') };
    await compareOne(recorded().context, { ...own, seeds: [0, 1] }, { method: 'random', seed: 1 });
    const { context, events, made } = counted();
    const blocked: RunContext = {
      ...context,
      betweenSteps: async () => {
        // A file where the state’s folder should be.
        writeFileSync(join(place, 'out.run', 'random-0.run'), '');
        await context.betweenSteps?.();
      },
    };
    const report = await compare(blocked, { ...own, resume: true });
    assert.equal(made.steps, 6);
    const told = warnings(events).filter(each => /could not be saved/.test(each));
    assert.equal(told.length, 1);
    assert.match(told[0]!, /random with seed 0 .*random-0\.run is a file/);
    assert.equal(timeless(report.runs), timeless(whole.runs.slice(0, 1)));
  });

  it('that cannot be written when a run is stopped is told, too', async () => {
    const place = temporaryFolder();
    const own = { ...request, out: join(place, 'out') };
    await compareOne(recorded().context, own, { method: 'random', seed: 0 });
    const { context, events } = counted({ step: 2, end: 'stop' });
    const blocked: RunContext = {
      ...context,
      betweenSteps: async () => {
        writeFileSync(join(place, 'out.run', 'ligo-0.growth.run'), '');
        await context.betweenSteps?.();
      },
    };
    const job = compareOne(blocked, own, { method: 'ligo', seed: 0 });
    await failure(job, InterruptedError, /^The run was stopped/);
    const [told, ...more] = warnings(events);
    assert.match(told ?? '', /^How far ligo with seed 0 has come could not be saved: .* is a file/);
    assert.deepEqual(more, []);
  });

  it('does not outlive a run that fails, nor is spoken of', async () => {
    const place = temporaryFolder();
    const own = { ...few, out: join(place, 'out') };
    const report = await compare(counted().context, {
      ...{ ...own, methods: ['ligo'] as const },
      training: { ...training, learningRate: 1e30 },
    });
    for (const run of report.runs) {
      assert.match(run.state === 'failed' ? run.message : '', /of the training\.$/);
    }
    assert.deepEqual(entries(place), ['out']);
  });
});
