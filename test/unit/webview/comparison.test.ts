import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ComparedRun, RunSummary } from '../../../src/protocol/messages';
import { formatFlops } from '../../../webview/shared/format';
import {
  alignedColumns,
  curvesOf,
  methodsOf,
  nearestIndex,
  nearestPoint,
} from '../../../webview/run/comparedCurves';
import { appendTo, type PageRun } from '../../../webview/run/runState';

/** A run with these losses at steps 0, 10, …; each step costs 2 operations after those of growing. */
const run = (method: string, losses: readonly number[], grown = 0, seed = 0): ComparedRun => ({
  ...{ method, seed, state: 'training', message: undefined },
  curve: losses.map((loss, index) => ({
    ...{ step: index * 10, loss },
    ...{ flops: grown + index * 20, seconds: grown + index },
  })),
});

describe('curves of a comparison', () => {
  const runs = [run('random', [7, 6, 5]), run('ligo', [4, 3], 20), run('stack', [])];

  it('are those of the methods that are shown and were evaluated', () => {
    const names = (hidden: readonly string[]): string[] =>
      curvesOf(runs, new Set(hidden)).map(curve => curve.run.method);
    assert.deepEqual(names([]), ['random', 'ligo']);
    assert.deepEqual(names(['random']), ['ligo']);
  });

  it('leave out what is no number', () => {
    const [curve] = curvesOf([run('random', [7, NaN, 5])], new Set());
    assert.deepEqual(
      curve!.points.map(({ step }) => step),
      [0, 20],
    );
  });

  it('share an axis on which each has its own points', () => {
    const curves = curvesOf(runs, new Set());
    assert.deepEqual(alignedColumns(curves, 'flops'), [
      [0, 20, 40],
      [7, 6, 5],
      [null, 4, 3],
    ]);
    assert.deepEqual(alignedColumns(curves, 'step'), [
      [0, 10, 20],
      [7, 6, 5],
      [4, 3, null],
    ]);
  });

  it('are found by the point nearest to the pointer', () => {
    const curves = curvesOf(runs, new Set());
    const at = (place: number, loss: number) => nearestPoint(curves, 'flops', { place, loss });
    assert.deepEqual(at(22, 5.8), { curve: 0, point: 1 });
    assert.deepEqual(at(38, 3.2), { curve: 1, point: 1 });
    assert.equal(nearestPoint([], 'flops', { place: 0, loss: 0 }), undefined);
    assert.equal(nearestIndex(curves[0]!.points, 'step', 13), 1);
  });

  it('belong to methods in the order their first runs are made', () => {
    const seeds = [run('random', [], 0, 0), run('ligo', [], 0, 0), run('random', [], 0, 1)];
    assert.deepEqual(methodsOf(seeds), ['random', 'ligo']);
  });
});

describe('a comparison that goes on', () => {
  const summary = { id: 'a', kind: 'compare' } as RunSummary;
  const before: PageRun = {
    summary,
    plan: undefined,
    curve: { steps: [], losses: [] },
    evaluations: [],
    snapshots: [],
    warnings: [],
    receipt: undefined,
    training: undefined,
    comparison: { smallLoss: undefined, models: [], runs: [run('random', [7])] },
  };
  const nothing = { steps: [], losses: [], snapshots: [], evaluations: [] };

  it('is replaced when something is new, and stays when only the summary is', () => {
    const same = appendTo(before, { type: 'append', summary, ...nothing });
    assert.equal(same.comparison, before.comparison);
    const comparison = { smallLoss: 3, models: [], runs: [run('random', [7, 6])] };
    const longer = appendTo(before, { type: 'append', summary, ...nothing, comparison });
    assert.equal(longer.comparison, comparison);
  });

  it('tells operations with their unit', () => {
    assert.equal(formatFlops(0), '0 FLOP');
    assert.equal(formatFlops(1.71e11), '171 GFLOP');
  });
});
