import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pointsOf } from '../../../src/protocol/curve';
import type { LoggedEvent } from '../../../src/protocol/events';
import { newRun, reduce, type RunState } from '../../../src/protocol/runState';
import {
  incrementBetween,
  secondsLeft,
  toldDetail,
  toldPhase,
  toldSummary,
} from '../../../src/protocol/runViews';

const time = 0;
const device: LoggedEvent = { type: 'device', engine: 'cpu', device: 'CPU', time };
const step = (at: number, loss = 10 - at, seconds = 2): LoggedEvent => ({
  ...{ type: 'step', step: at, steps: 10, loss, seconds, tokensPerSecond: 7, time },
});
const evaluation = (model: string, at: number, loss: number): LoggedEvent => ({
  ...{ type: 'evaluation', model, step: at, loss, batches: 1, time },
});
const warning = (message: string): LoggedEvent => ({
  ...{ type: 'warning', message, remedy: 'Look.', time },
});
const done: LoggedEvent = { type: 'done', out: '/out', time };
const failed = (interrupted: boolean): LoggedEvent => ({
  ...{ type: 'failed', message: 'Stopped.', remedy: 'Resume.', interrupted, time },
});

const after = (events: readonly LoggedEvent[], from = newRun()): RunState =>
  events.reduce<RunState>(reduce, from);
const curveOf = (state: RunState) => toldDetail(state).curve;

describe('a run, by what it told,', () => {
  it('has phases, steps left and the newest loss', () => {
    assert.equal(toldPhase(newRun()), 'starting');
    assert.equal(toldPhase(after([device])), 'measuring');
    const learning = after([device, step(1), step(2), step(3)]);
    assert.equal(toldPhase(learning), 'learning');
    assert.equal(secondsLeft(learning), 14);
    assert.deepEqual(toldSummary(learning).lossHistory, [9, 8, 7]);
    const learned = after([step(10)], learning);
    assert.equal(toldPhase(learned), 'writing');
    const written = after([evaluation('after', 10, 3)], learned);
    assert.equal(toldPhase(written), 'measuring');
    assert.equal(toldSummary(written).heldOutLoss, 3);
  });

  it('judges the time left by its last steps alone', () => {
    const slow = Array.from({ length: 50 }, (_, index) => step(index + 1, 1, 100));
    const quick = Array.from({ length: 20 }, (_, index) => step(index + 51, 1, 1));
    const state = after([...slow, ...quick].map(event => ({ ...event, steps: 80 })));
    assert.equal(secondsLeft(state), 10);
  });

  it('that was killed and repeats steps has each of them once, the newest', () => {
    const state = after([1, 2, 3, 4].map(at => step(at)).concat(step(3, 5), step(4, 4)));
    assert.deepEqual(curveOf(state), { steps: [1, 2, 3, 4], losses: [9, 8, 5, 4] });
  });

  it('shows no rate that is no number, and a loss that is none as a hole', () => {
    const state = after([{ ...step(1, NaN), tokensPerSecond: NaN } as LoggedEvent]);
    assert.equal(toldSummary(state).tokensPerSecond, undefined);
    assert.deepEqual(curveOf(state).losses, [NaN]);
  });

  it('keeps a thousand warnings and the newest thousand evaluations', () => {
    const numbers = Array.from({ length: 1200 }, (_, index) => index);
    const state = after(numbers.flatMap(at => [warning(`${at}`), evaluation('small', at, at)]));
    assert.deepEqual([state.warnings.length, state.evaluations.length], [1000, 1000]);
    assert.deepEqual([state.warnings[0], state.evaluations[0]?.step], ['0 Look.', 200]);
  });

  it('has one evaluation of a model at a step, the newest', () => {
    const told = [evaluation('small', 0, 5), evaluation('after', 9, 4), evaluation('small', 0, 3)];
    assert.deepEqual(
      after(told).evaluations.map(({ model, loss }) => [model, loss]),
      [
        ['after', 4],
        ['small', 3],
      ],
    );
  });

  it('ends as it says, and goes on when a worker takes it up again', () => {
    assert.equal(after([step(1), failed(false)]).end, 'failed');
    const stopped = after([step(1), step(2), failed(true)]);
    assert.equal(stopped.end, 'cancelled');
    assert.deepEqual(stopped.failure, { message: 'Stopped.', remedy: 'Resume.' });
    const resumed = after([device], stopped);
    assert.deepEqual([resumed.end, resumed.failure], [undefined, undefined]);
    assert.deepEqual(curveOf(resumed).steps, [1, 2]);
    assert.equal(after([step(3), done], resumed).end, 'done');
  });

  it('stays as it was whatever is told later', () => {
    const early = after([device, warning('a'), ...[1, 2, 3].map(at => step(at))]);
    const copy = structuredClone(early);
    after([step(2, 0), step(3), warning('b'), evaluation('small', 0, 1), done], early);
    assert.deepEqual(early, copy);
  });

  it('of a hundred thousand steps has a curve that starts and ends where they do', () => {
    let state = newRun();
    for (let at = 1; at <= 100_000; at++) state = reduce(state, step(at, at));
    const points = pointsOf(state.curve);
    assert.ok(points.length > 4000 && points.length <= 8000);
    assert.deepEqual([points[0]?.step, points.at(-1)?.step], [1, 100_000]);
  });
});

describe('the increments of a run', () => {
  it('have nothing where nothing is new to the page', () => {
    const state = after([device, step(1)]);
    const none = { steps: [], losses: [], evaluations: [] };
    assert.deepEqual(incrementBetween(state, state), none);
    const usage: LoggedEvent = { type: 'usage', residentBytes: 1, time };
    assert.deepEqual(incrementBetween(state, after([usage], state)), none);
  });

  it('tell of a comparison only what its curves and states show', () => {
    const request = { methods: ['random'], seeds: [0], steps: 100 };
    const run = { method: 'random', seed: 0, time } as const;
    const begun = after(
      [{ type: 'comparisonRun', ...run, state: 'started', ended: 0, runs: 1 }],
      newRun(request),
    );
    const further = (event: LoggedEvent) =>
      incrementBetween(begun, reduce(begun, event)).comparison;
    const at = { ...run, step: 5, steps: 100, seconds: 1 };
    const point = { type: 'comparison', ...at, loss: 3, flops: 9 } as const;
    assert.equal(further({ ...point, phase: 'growth' }), undefined);
    assert.equal(further({ ...point, phase: 'training' })?.runs[0]?.curve.length, 1);
    assert.equal(further({ type: 'comparisonStep', ...at })?.runs[0]?.state, 'training');
    assert.deepEqual(further(done)?.models, []);
  });

  it('that is a training has the largest rate of each step, and its receipt', () => {
    const rates: LoggedEvent = { ...step(1), ...{ learningRate: { matrices: 0.1, late: 0.02 } } };
    const state = after([rates, step(2)]);
    assert.deepEqual(curveOf(state).rates, [0.1, NaN]);
    const evaluation = { loss: 3, batches: 1 };
    const training = { after: evaluation } as NonNullable<RunState['training']>;
    const ended = after([{ ...done, ...{ training } }], state);
    assert.equal(toldDetail(ended).training, training);
    assert.equal(toldSummary(ended).heldOutLoss, 3);
  });
});
