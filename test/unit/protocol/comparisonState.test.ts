import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  comparisonDetail,
  comparisonMoment,
  comparisonProgress,
} from '../../../src/protocol/comparisonState';
import type { LoggedEvent } from '../../../src/protocol/events';
import { newRun, reduce, type RunState } from '../../../src/protocol/runState';
import { secondsLeft, toldPhase } from '../../../src/protocol/runViews';

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
function comparisonAfter(...events: LoggedEvent[]): RunState {
  const request = { methods: ['random', 'ligo', 'stack'], seeds: [0], steps: 100 };
  const device = { type: 'device', engine: 'cpu', device: 'CPU', time: 0 } as const;
  return [device, ...events].reduce<RunState>(reduce, newRun(request));
}
const detailOf = ({ comparison }: RunState) => comparisonDetail(comparison!);
const momentOf = ({ comparison }: RunState) => comparisonMoment(comparison!);
const progressOf = ({ comparison }: RunState) => comparisonProgress(comparison!);
const statesOf = (state: RunState) => detailOf(state).runs.map(run => run.state);

describe('a comparison, by what it told,', () => {
  it('knows all runs before the first began', () => {
    const comparison = comparisonAfter();
    assert.deepEqual(
      detailOf(comparison).runs.map(({ method, state }) => [method, state]),
      [
        ['random', 'waiting'],
        ['ligo', 'waiting'],
        ['stack', 'waiting'],
      ],
    );
    assert.deepEqual(progressOf(comparison), { step: 0, steps: 300 });
    assert.equal(toldPhase(comparison), 'measuring');
  });

  it('tells the run that is being made, its phase and its step', () => {
    let comparison = comparisonAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 100)],
      ...[finished('random', 1), started('ligo', 1), grown('ligo', 7)],
    );
    assert.equal(toldPhase(comparison), 'comparing');
    assert.deepEqual(momentOf(comparison), {
      ...{ run: 2, runs: 3, method: 'ligo', seed: 0, phase: 'growing', step: 7, steps: 100 },
    });
    assert.deepEqual(statesOf(comparison), ['finished', 'growing', 'waiting']);
    comparison = reduce(comparison, trained('ligo', 40));
    assert.equal(momentOf(comparison)?.phase, 'training');
    const { smallLoss, lossUnit } = detailOf(comparison);
    assert.deepEqual({ smallLoss, lossUnit }, { smallLoss: 3.5, lossUnit: 'nats' });
  });

  it('draws held-out losses only, and those that are no number as such', () => {
    const comparison = comparisonAfter(
      ...[started('random', 0), grown('random', 1), trained('random', 0)],
      trained('random', 10, NaN),
    );
    const [run] = detailOf(comparison).runs;
    assert.deepEqual(run!.curve, [
      { step: 0, loss: 4, flops: 1000, seconds: 1 },
      { step: 10, loss: NaN, flops: 1100, seconds: 2 },
    ]);
  });

  it('forgets the curve of a run that is made again', () => {
    const comparison = comparisonAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 60)],
      { type: 'failed', message: 'Stopped.', remedy: 'Resume.', interrupted: true, time: 0 },
      ...[started('random', 0), trained('random', 0, 5)],
    );
    const [run] = detailOf(comparison).runs;
    assert.deepEqual(
      run!.curve.map(({ loss }) => loss),
      [5],
    );
    assert.equal(comparison.end, undefined);
  });

  it('estimates the time left by what steps have taken', () => {
    const comparison = comparisonAfter(
      started('random', 0),
      trained('random', 0),
      trained('random', 50),
    );
    // 6 seconds for 50 steps, and 250 steps to go.
    assert.equal(secondsLeft(comparison), 30);
  });

  it('moves between evaluations, without a point of the curve', () => {
    const comparison = comparisonAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 50)],
      stepped('random', 60, 9),
    );
    assert.equal(momentOf(comparison)?.step, 60);
    assert.deepEqual(progressOf(comparison), { step: 60, steps: 300 });
    // 9 seconds for 60 steps, and 240 steps to go.
    assert.equal(secondsLeft(comparison), 36);
    const [run] = detailOf(comparison).runs;
    assert.deepEqual(
      run!.curve.map(({ step }) => step),
      [0, 50],
    );
  });

  it('counts the steps of runs that are made at the same time', () => {
    let comparison = comparisonAfter(
      ...[started('random', 0), started('ligo', 0), trained('random', 0), trained('ligo', 0)],
      ...[stepped('random', 30, 3), stepped('ligo', 20, 3)],
    );
    assert.deepEqual(progressOf(comparison), { step: 50, steps: 300 });
    // 6 seconds for 50 steps, and 250 steps to go.
    assert.equal(secondsLeft(comparison), 30);
    comparison = reduce(comparison, finished('ligo', 1));
    assert.equal(momentOf(comparison)?.method, 'random');
    assert.equal(momentOf(comparison)?.step, 30);
  });

  it('moves while operators are learned, and counts those steps', () => {
    let comparison = comparisonAfter(
      ...[started('random', 0), trained('random', 0), trained('random', 100)],
      ...[finished('random', 1), started('ligo', 1), grown('ligo', 20)],
    );
    assert.deepEqual(progressOf(comparison), { step: 120, steps: 400 });
    // 11 and 3 seconds for 120 steps, and 280 steps to go.
    assert.equal(secondsLeft(comparison), (14 / 120) * 280);
    comparison = [grown('ligo', 100), trained('ligo', 0)].reduce(reduce, comparison);
    assert.deepEqual(progressOf(comparison), { step: 200, steps: 400 });
    comparison = reduce(comparison, trained('ligo', 40));
    assert.deepEqual(progressOf(comparison), { step: 240, steps: 400 });
    // Taken up again, it trains on with the operators that it had learned.
    comparison = [started('ligo', 1), trained('ligo', 40)].reduce(reduce, comparison);
    assert.deepEqual(progressOf(comparison), { step: 240, steps: 400 });
    comparison = reduce(comparison, finished('ligo', 2));
    assert.deepEqual(progressOf(comparison), { step: 300, steps: 400 });
  });

  it('tells the time left already while the first run learns', () => {
    const comparison = comparisonAfter(started('ligo', 0), grown('ligo', 50));
    // 6 seconds for 50 steps, and 350 steps to go.
    assert.equal(secondsLeft(comparison), 42);
  });

  it('expects of every seed what the first told of learning', () => {
    const begun = reduce(newRun({ methods: ['random', 'ligo'], seeds: [0, 1], steps: 100 }), {
      ...started('ligo', 0),
      runs: 4,
    });
    assert.deepEqual(progressOf(begun), { step: 0, steps: 400 });
    const learning = reduce(begun, { ...grown('ligo', 5), steps: 10 });
    assert.deepEqual(progressOf(learning), { step: 5, steps: 420 });
  });

  it('says that it writes once all runs ended', () => {
    const comparison = comparisonAfter(finished('random', 1), finished('ligo', 2), {
      ...finished('stack', 3),
      state: 'failed',
      message: 'Stack cannot.',
    });
    assert.equal(toldPhase(comparison), 'reporting');
    assert.equal(detailOf(comparison).runs[2]!.message, 'Stack cannot.');
  });

  it('stays as it was whatever is told later, of runs that nobody knew too', () => {
    const early = comparisonAfter(started('random', 0), trained('random', 0), started('new', 0));
    const [detail, progress] = [detailOf(early), progressOf(early)];
    const one = [trained('other', 1), trained('new', 50), finished('random', 1)];
    const two = [trained('third', 1), trained('other', 2)];
    assert.deepEqual(
      [one, two].map(events =>
        detailOf(events.reduce<RunState>(reduce, early)).runs.map(({ method, curve }) => [
          method,
          curve.length,
        ]),
      ),
      [
        [
          ...[
            ['random', 1],
            ['ligo', 0],
            ['stack', 0],
          ],
          ['new', 1],
          ['other', 1],
        ],
        [
          ...[
            ['random', 1],
            ['ligo', 0],
            ['stack', 0],
          ],
          ['new', 0],
          ['third', 1],
          ['other', 1],
        ],
      ],
    );
    assert.deepEqual([detailOf(early), progressOf(early)], [detail, progress]);
  });

  it('keeps ten thousand runs of a log that names more', () => {
    let comparison = comparisonAfter();
    for (let seed = 1; seed <= 20_000; seed++) {
      comparison = reduce(comparison, { ...trained('ligo', 1), seed });
    }
    const { runs } = detailOf(comparison);
    assert.deepEqual([runs.length, runs.at(-1)?.seed], [10_000, 9997]);
  });
});
