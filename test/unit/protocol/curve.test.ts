import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  emptyCurve,
  followOn,
  lastOf,
  pointsOf,
  thin,
  withPoint,
  type AtStep,
  type Curve,
} from '../../../src/protocol/curve';

const steps = (from: number, to: number): AtStep[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ step: from + index }));
const curveOf = (points: readonly AtStep[]): Curve<AtStep> =>
  points.reduce<Curve<AtStep>>(withPoint, emptyCurve);
const stepsOf = (points: readonly AtStep[]): number[] => points.map(({ step }) => step);

describe('a curve', () => {
  it('has its points in order, whatever their number', () => {
    for (const count of [0, 1, 100, 101, 102, 1000, 8000]) {
      const points = steps(1, count);
      const curve = curveOf(points);
      assert.deepEqual(pointsOf(curve), points);
      assert.equal(lastOf(curve), points.at(-1));
    }
  });

  it('forgets what came after the step a run was taken up from', () => {
    const points = steps(1, 350);
    const curve = curveOf(points);
    for (const back of [350, 349, 320, 301, 300, 250, 100, 2, 1]) {
      const again = { step: back };
      assert.deepEqual(pointsOf(withPoint(curve, again)), [...points.slice(0, back - 1), again]);
    }
    const followed = followOn([{ step: 1 }, { step: 5 }], [{ step: 6 }, { step: 2 }, { step: 3 }]);
    assert.deepEqual(stepsOf(followed), [1, 2, 3]);
  });

  it('stays as it is when others go on from it', () => {
    const curve = curveOf(steps(1, 150));
    const [further, back] = [curveOf(steps(1, 150)), withPoint(curve, { step: 20 })];
    withPoint(curve, { step: 151 });
    assert.deepEqual(curve, further);
    assert.equal(pointsOf(back).length, 20);
  });

  it('keeps every second point when there are too many, the first and the last among them', () => {
    const kept = stepsOf(pointsOf(curveOf(steps(1, 100_000))));
    assert.ok(kept.length > 4000 && kept.length <= 8000, String(kept.length));
    assert.deepEqual([kept[0], kept.at(-1)], [1, 100_000]);
    assert.ok(kept.every((step, index) => index === 0 || step > kept[index - 1]!));
    const page = followOn(steps(1, 7990), steps(7991, 8010));
    assert.ok(page.length <= 8000);
    assert.deepEqual([page[0]?.step, page.at(-1)?.step], [1, 8010]);
  });

  it('is thinned evenly for lists, and keeps its end', () => {
    const values = Array.from({ length: 10_001 }, (_, index) => index);
    const thinned = thin(values, 201);
    assert.equal(thinned.length, 201);
    assert.deepEqual(thinned.slice(0, 2), [0, 50]);
    assert.equal(thinned.at(-1), 10_000);
  });
});
