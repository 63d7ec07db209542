import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ComparisonRun, FinishedRun } from '../../../src/protocol/comparison';
import { gotSameBatches, notesOn, summarizeMethods } from '../../../src/run/compare/report';
import { savingsOf, spentToReach, spreadOf } from '../../../src/report/savings';
import { finishedRun, type HandMadePoint } from './compareRuns';

const run = (method: string, losses: readonly HandMadePoint[], seed = 0): FinishedRun =>
  finishedRun(method, losses, { seed });

/** 400 steps in two, each step 10 FLOPs and 0.1 s: 5 → 3 → 2.5. */
const scratch = run('random', [
  [0, 5],
  [200, 3],
  [400, 2.5],
]);

describe('what was spent to reach a loss', () => {
  const steps = (target: number): number | undefined =>
    spentToReach(scratch.curve, target, ({ step }) => step);

  it('lies on the straight line between two evaluations', () => {
    assert.equal(steps(4), 100);
    assert.equal(steps(2.75), 300);
  });

  it('is that of an evaluation which meets it', () => {
    assert.equal(steps(3), 200);
    assert.equal(steps(2.5), 400);
  });

  it('is that of the first evaluation where this is low enough', () => assert.equal(steps(6), 0));

  it('is nothing where it was never reached', () => assert.equal(steps(2.4), undefined));

  it('counts the first reach, though the loss rises again', () => {
    const { curve } = run('stack', [
      [0, 4],
      [100, 2],
      [200, 3],
      [300, 1],
    ]);
    assert.equal(
      spentToReach(curve, 2.5, ({ step }) => step),
      75,
    );
  });
});

describe('a saving', () => {
  it('of the scratch run against itself is nothing', () => {
    const { savings, steps } = savingsOf(scratch, scratch, 1e6);
    assert.deepEqual(savings, { flops: 0, paperFlops: 0, seconds: 0, flopsWithSmall: 0 });
    assert.equal(steps, 400);
  });

  it('counts the growth before the training', () => {
    const grown = finishedRun(
      'ligo',
      [
        [0, 4],
        [100, 2],
      ],
      { growth: { flops: 500, paperFlops: 100, seconds: 20 } },
    );
    const { savings, steps, target } = savingsOf(grown, scratch);
    assert.equal(target, 2.5);
    assert.equal(steps, 75);
    // 500 + 75 · 10 of 4000; 100 + 75 · 5 of 2000; 20 + 75 · 0.1 of 40.
    assert.equal(savings?.flops, 1 - 1250 / 4000);
    assert.equal(savings?.paperFlops, 1 - 475 / 2000);
    assert.equal(savings?.seconds, 1 - 27.5 / 40);
    assert.equal(savings?.flopsWithSmall, undefined);
  });

  it('shrinks by the small model’s training where that is known', () => {
    const grown = run('stack', [
      [0, 4],
      [100, 2],
    ]);
    assert.equal(savingsOf(grown, scratch, 1000).savings?.flopsWithSmall, 1 - 1750 / 4000);
  });

  it('may be a loss', () => {
    const slow = run('stack', [
      [0, 6],
      [800, 2.5],
    ]);
    assert.equal(savingsOf(slow, scratch).savings?.flops, -1);
  });

  it('is not told of a run that never got there', () => {
    const stuck = run('stack', [
      [0, 4],
      [400, 2.6],
    ]);
    assert.deepEqual(savingsOf(stuck, scratch), { seed: 0, target: 2.5 });
  });
});

describe('the summary of methods', () => {
  const fast = (seed: number, end = 100): FinishedRun =>
    run(
      'stack',
      [
        [0, 4],
        [end, 2.5],
      ],
      seed,
    );
  const scratchOf = (seed: number): FinishedRun => ({ ...scratch, seed });
  const refused: ComparisonRun = {
    ...{ state: 'failed', method: 'mslt', seed: 0 },
    ...{ message: 'It cannot.', remedy: 'Choose another.' },
  };

  it('is the mean over seeds, with the least and the most', () => {
    const [best] = summarizeMethods([scratchOf(0), scratchOf(1), fast(0, 100), fast(1, 200)]);
    assert.equal(best?.method, 'stack');
    assert.deepEqual(best?.savings?.flops, { mean: 0.625, least: 0.5, most: 0.75 });
  });

  it('puts the largest saving first, then what never got there, then what failed', () => {
    const stuck = run('copy', [
      [0, 4],
      [400, 2.6],
    ]);
    const summaries = summarizeMethods([refused, stuck, scratchOf(0), fast(0)]);
    assert.deepEqual(
      summaries.map(({ method }) => method),
      ['stack', 'random', 'copy', 'mslt'],
    );
    const [, , never, failed] = summaries;
    assert.equal(never?.reached, 0);
    assert.equal(never?.savings, undefined);
    assert.deepEqual(failed?.failures, [refused]);
  });

  it('tells no saving when one of the seeds never got there', () => {
    const stuck = run(
      'stack',
      [
        [0, 4],
        [400, 2.6],
      ],
      1,
    );
    const [, summary] = summarizeMethods([scratchOf(0), scratchOf(1), fast(0), stuck]);
    assert.equal(summary?.method, 'stack');
    assert.equal(summary?.savings, undefined);
    assert.deepEqual([summary?.reached, summary?.finished], [1, 2]);
  });

  it('tells no saving when training from scratch failed', () => {
    const [summary] = summarizeMethods([{ ...refused, method: 'random' }, fast(0)]);
    assert.equal(summary?.savings, undefined);
    assert.equal(summary?.end?.mean, 2.5);
  });

  it('of no numbers is none', () => assert.equal(spreadOf([]), undefined));
});

describe('the notes of a report', () => {
  const notesFor = (runs: readonly ComparisonRun[], small: number): readonly string[] =>
    notesOn(summarizeMethods(runs), { small, sameBatches: true }).map(({ message }) => message);
  const stack = run('stack', [[0, 4]]);

  it('say that training from scratch alone is no comparison', () => {
    const [alone, ...more] = notesFor([scratch], 3);
    assert.match(alone ?? '', /^Only training from scratch was made/);
    assert.deepEqual(more, []);
    assert.deepEqual(notesFor([scratch, stack], 3), []);
  });

  it('say that training from scratch ended above the small model', () => {
    const [short, ...more] = notesFor([scratch, stack], 2.4);
    assert.match(short ?? '', /ended at a loss of 2\.500, above the small model’s 2\.400/);
    assert.deepEqual(more, []);
  });
});

describe('training from scratch that ends no better than it began', () => {
  const stuck = run('random', [
    [0, 5],
    [200, 4.9],
    [400, 5],
  ]);
  const stack = run('stack', [
    [0, 5.5],
    [400, 2],
  ]);

  it('is nothing to save against, and the report says so', () => {
    const methods = summarizeMethods([stuck, stack]);
    assert.deepEqual(
      methods.map(({ method, savings }) => [method, savings]),
      [
        ['stack', undefined],
        ['random', undefined],
      ],
    );
    const [note, ...more] = notesOn(methods, { small: 3, sameBatches: true });
    assert.match(note?.message ?? '', /no better than it began/);
    assert.deepEqual(more, []);
  });
});

describe('a report says that batches were the same', () => {
  const fed = (method: string, seed: number, training: string, evaluation = 'e'): FinishedRun => ({
    ...run(method, [[0, 1]], seed),
    fed: { training, evaluation },
  });

  it('when the methods of each seed read the same', () => {
    assert.equal(gotSameBatches([fed('a', 0, 'x'), fed('b', 0, 'x'), fed('a', 1, 'y')]), true);
  });

  it('not when one method read others', () => {
    assert.equal(gotSameBatches([fed('a', 0, 'x'), fed('b', 0, 'y')]), false);
  });

  it('not when one was evaluated on others', () => {
    assert.equal(gotSameBatches([fed('a', 0, 'x'), fed('b', 0, 'x', 'other')]), false);
  });
});
