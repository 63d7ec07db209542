import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunSummary } from '../../../src/protocol/messages';
import { curveCsv, curveSvg } from '../../../webview/run/chartExport';
import {
  lossRange,
  lossTicks,
  sampledIndices,
  spreadLabels,
} from '../../../webview/run/chartFrame';
import { axesOf, byKind, kindLabel, parseOperatorName } from '../../../webview/run/operatorNames';
import { appendTo, thin, type PageRun } from '../../../webview/run/runState';
import { lastPosition, positionAt, smooth, windowFor } from '../../../webview/run/smoothing';
import { difference, OperatorHistory } from '../../../webview/run/snapshots';

describe('smoothing', () => {
  it('gives mean, smallest and largest of every centred window', () => {
    const { mean, low, high } = smooth([1, 2, 9, 4, 5], 3);
    assert.deepEqual(mean, [1.5, 4, 5, 6, 4.5]);
    assert.deepEqual(low, [1, 1, 2, 4, 4]);
    assert.deepEqual(high, [2, 9, 9, 9, 5]);
  });

  it('agrees with the plain definition on a long curve with holes', () => {
    const values = Array.from({ length: 300 }, (_, index) =>
      index % 17 === 3 ? NaN : Math.sin(index * 12.9898) * 43,
    );
    const reach = 6;
    const { mean, low, high } = smooth(values, 2 * reach + 1);
    values.forEach((_, index) => {
      const window = values
        .slice(Math.max(0, index - reach), index + reach + 1)
        .filter(Number.isFinite);
      const sum = window.reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(mean[index]! - sum / window.length) < 1e-9);
      assert.equal(low[index], Math.min(...window));
      assert.equal(high[index], Math.max(...window));
    });
  });

  it('has nothing to say where nothing is finite', () => {
    assert.deepEqual(smooth([NaN], 1).mean, [null]);
  });

  it('has another window for every position, none at the left and a quarter of the curve at the right', () => {
    for (const length of [3, 8, 20, 100, 801, 1000, 100_000]) {
      const windows = Array.from({ length: lastPosition(length) + 1 }, (_, position) =>
        windowFor(position, length),
      );
      assert.equal(windows[0], 1);
      assert.equal(new Set(windows).size, windows.length, `${length} steps`);
      assert.deepEqual(
        windows,
        windows.toSorted((a, b) => a - b),
      );
      assert.ok(windows.every(window => window % 2 === 1));
      const widest = windows.at(-1)!;
      assert.ok(widest <= Math.max(3, length / 4 + 2) && widest >= length / 4 - 1, `${widest}`);
    }
    for (const length of [0, 1, 2]) assert.equal(lastPosition(length), 0);
    assert.equal(positionAt(0, 1000), 0);
    assert.equal(positionAt(0.001, 1000), 1);
    assert.equal(positionAt(1, 20), lastPosition(20));
    assert.equal(windowFor(5, 2), 1);
  });
});

describe('the frame of the loss chart', () => {
  it('holds all finite values, and only positive ones on a log axis', () => {
    const [low, high] = lossRange([1, NaN, 3, Infinity], false);
    assert.ok(low < 1 && low > 0.5 && high > 3 && high < 3.5);
    const [positive] = lossRange([-2, 0, 0.5, 8], true);
    assert.ok(positive > 0 && positive < 0.5);
    assert.deepEqual(lossRange([], false), [0, 1]);
  });

  it('has round ticks', () => {
    assert.deepEqual(lossTicks(4.7, 6.7, 5, false), [5, 5.5, 6, 6.5]);
    assert.deepEqual(lossTicks(0.01, 3, 5, true), [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
  });

  it('has few ticks, or none, on axes of any numbers', () => {
    const ends = [0, 1, 1e17, 1e17 + 32, 2 ** 53, 1e300, 1e308, 5e-324, 1e-320, -1e308];
    for (const low of ends) {
      for (const high of ends) {
        for (const logarithmic of [false, true]) {
          const [from, to] = lossRange([low, high], logarithmic);
          assert.ok(lossTicks(from, to, 5, logarithmic).length <= 1000, `${low} … ${high}`);
        }
      }
    }
  });

  it('moves labels apart and keeps their order', () => {
    assert.deepEqual(spreadLabels([12, 10, 60], 14), [18, 4, 60]);
    const crowd = spreadLabels([10, 10, 30], 15);
    assert.ok(crowd[1]! - crowd[0]! >= 15 && crowd[2]! - crowd[1]! >= 15);
  });

  it('samples a table and keeps the last point', () => {
    assert.deepEqual(sampledIndices(5, 50), [0, 1, 2, 3, 4]);
    const sampled = sampledIndices(1000, 50);
    assert.ok(sampled.length <= 51);
    assert.equal(sampled.at(-1), 999);
  });
});

describe('operator names', () => {
  it('are taken apart', () => {
    assert.deepEqual(parseOperatorName('width.query.3', 'width'), {
      group: 'width',
      kind: 'query',
      layer: 3,
    });
    assert.deepEqual(parseOperatorName('depth.q.weight', 'depth'), {
      group: 'depth',
      kind: 'q.weight',
      layer: undefined,
    });
    const groups = byKind(
      ['width.ffn.0', 'width.ffn.1', 'width.residual'].map(name => ({
        name,
        group: 'width' as const,
      })),
      'width',
    );
    assert.deepEqual([...groups.keys()], ['ffn', 'residual']);
  });

  it('have a label that people read', () => {
    assert.deepEqual(
      ['query', 'ffn', 'attentionHead', 'query.class', 'classFfn.class'].map(kindLabel),
      ['query', 'ffn', 'heads', 'class query', 'class ffn'],
    );
  });

  it('tell what rows and columns are', () => {
    const llama = { layers: 5, hidden: 64, heads: 8, kvHeads: 4, ffn: 172 };
    const rows = (name: string, group: 'width' | 'depth', small = 64) =>
      axesOf({ name, group, shape: [4, small] }, llama).row;
    assert.equal(rows('depth.q.weight', 'depth'), 'large layer');
    assert.equal(rows('depth.layers', 'depth'), 'large layer');
    assert.equal(rows('width.blocks', 'width'), 'large block');
    assert.equal(rows('width.out', 'width'), 'new feature');
    assert.equal(rows('width.query.3', 'width'), 'new feature');
    assert.equal(rows('width.query.3', 'width', 8), 'new head');
    assert.equal(rows('width.key.3', 'width', 4), 'new head');
    assert.equal(rows('width.value.3', 'width', 8), 'new feature');
    assert.equal(rows('width.attentionHead.3', 'width', 4), 'new head');
  });
});

describe('a run that goes on', () => {
  const summary = { id: 'a' } as RunSummary;
  const run: PageRun = {
    summary,
    plan: undefined,
    curve: { steps: [1, 2, 3], losses: [3, 2, 1] },
    evaluations: [],
    snapshots: [{ step: 1, operators: [] }],
    warnings: [],
    receipt: undefined,
    training: undefined,
    comparison: undefined,
  };
  const nothing = {
    type: 'append',
    summary,
    steps: [],
    losses: [],
    snapshots: [],
    evaluations: [],
  } as const;

  it('takes the history in the order of its steps and forgets what a resumed run took back', () => {
    const picture = (step: number) => ({ step, operators: [] });
    const opened: PageRun = { ...run, snapshots: [picture(9)], history: [1, 5] };
    const some = appendTo(opened, { ...nothing, snapshots: [picture(1)], past: 'some' });
    assert.deepEqual(some.history, [5]);
    const all = appendTo(some, { ...nothing, snapshots: [picture(5)], past: 'all' });
    assert.deepEqual(
      all.snapshots.map(({ step }) => step),
      [1, 5, 9],
    );
    assert.deepEqual(all.history, []);
    const resumed = appendTo(opened, { ...nothing, snapshots: [picture(4)] });
    assert.deepEqual([resumed.history, resumed.snapshots.map(({ step }) => step)], [[1], [4]]);
  });

  it('tells changes of pictures that differ in size in the smaller one', () => {
    const matrix = (columns: number, values: number[]) => ({
      ...({
        name: 'a',
        shape: [1, 4],
        rows: 1,
        columns,
        values: Float32Array.from(values),
      } as const),
    });
    const change = difference(matrix(4, [1, -2, 3, 4]), matrix(2, [0, 5]));
    assert.deepEqual([change.columns, [...change.values]], [2, [2, 1]]);
    assert.deepEqual([...difference(matrix(2, [0, 5]), matrix(4, [1, -2, 3, 4])).values], [-2, -1]);
  });

  it('takes new steps, repeated ones once, and the newest of a resumed run', () => {
    const longer = appendTo(run, { ...nothing, steps: [4], losses: [0.5] });
    assert.deepEqual(longer.curve, { steps: [1, 2, 3, 4], losses: [3, 2, 1, 0.5] });
    const repeated = appendTo(longer, { ...nothing, steps: [2, 3, 4], losses: [2, 1, 0.5] });
    assert.deepEqual(repeated.curve, longer.curve);
    const resumed = appendTo(longer, { ...nothing, steps: [2, 3], losses: [9, 8] });
    assert.deepEqual(resumed.curve, { steps: [1, 2, 3], losses: [3, 9, 8] });
  });

  it('takes facts and keeps the old ones without', () => {
    const warned = appendTo(run, {
      ...nothing,
      facts: { plan: undefined, warnings: ['w'], receipt: undefined, training: undefined },
    });
    assert.deepEqual(appendTo(warned, nothing).warnings, ['w']);
  });
});

describe('operators through time', () => {
  const snapshot = (step: number, ...values: number[]) => ({
    step,
    operators: [
      {
        name: 'depth.q',
        group: 'depth' as const,
        shape: [1, 2] as const,
        rows: 1,
        columns: 2,
        values: Float32Array.from(values),
      },
    ],
  });

  it('are thinned when they are too many, but for the first and the newest', () => {
    const all = [1, 2, 3, 4, 5, 6].map(step => snapshot(step, 0, 0));
    const steps = (most: number): number[] => thin(all, most).map(({ step }) => step);
    assert.deepEqual(steps(12), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(steps(8), [1, 3, 5, 6]);
    assert.deepEqual(steps(1), [1, 6]);
  });

  it('share one scale over all snapshots, which grows with new ones', () => {
    const history = new OperatorHistory();
    history.set([snapshot(1, 1, 0), snapshot(2, 0, -4)]);
    assert.equal(history.limit('depth.q', 'maximum', 'values'), 4);
    history.set([...history.snapshots, snapshot(3, 7, 0)]);
    assert.equal(history.limit('depth.q', 'maximum', 'values'), 7);
    assert.equal(history.matrix('nothing', 0, 'values'), undefined);
  });

  it('tell how far they moved since the first snapshot', () => {
    const history = new OperatorHistory();
    history.set([snapshot(1, 1, 0), snapshot(2, 3, -4)]);
    assert.deepEqual([...history.matrix('depth.q', 1, 'change')!.values], [2, -4]);
    assert.deepEqual([...history.matrix('depth.q', 0, 'change')!.values], [0, 0]);
    const first = history.matrix('depth.q', 0, 'values')!;
    assert.deepEqual([...difference(first, first).values], [0, 0]);
  });
});

describe('exported curves', () => {
  it('are a table with the held-out losses after the steps', () => {
    const text = curveCsv([1, 2], [3.5, 2.5], [{ name: 'grown, after', loss: 2 }]);
    assert.equal(text, 'series,step,loss\ntraining,1,3.5\ntraining,2,2.5\n"grown, after",,2\n');
  });

  it('are a figure without holes where a loss is not finite', () => {
    const svg = curveSvg('a & b', [1, 2, 3], [3, NaN, 1], []);
    assert.ok(svg.includes('a &#38; b'));
    assert.ok(!svg.includes('NaN'));
  });
});
