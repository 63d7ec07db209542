import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curveCsv, curveSvg } from '../../../webview/run/chartExport';
import { curveRows } from '../../../webview/run/curveRows';
import { outcomeText } from '../../../webview/run/outcome';

const curve = { steps: [1, 2, 3], losses: [5, 4, 3], rates: [0.1, 0.2, 0.1] };
const evaluation = (model: string, step: number, loss: number) => ({
  ...{ model, step, loss, batches: 1 },
});

test('held-out losses of a training stand at their steps, the first before any', () => {
  const evaluations = [evaluation('before', 0, 6), evaluation('training', 2, 4.5)];
  assert.deepEqual(curveRows({ curve, evaluations, isTraining: true }), [
    { step: 0, loss: NaN, heldOut: 6, rate: NaN },
    { step: 1, loss: 5, heldOut: NaN, rate: 0.1 },
    { step: 2, loss: 4, heldOut: 4.5, rate: 0.2 },
    { step: 3, loss: 3, heldOut: NaN, rate: 0.1 },
  ]);
});

test('held-out losses of a growth are those of several models, and no curve', () => {
  const rows = curveRows({ curve, evaluations: [evaluation('small', 0, 6)], isTraining: false });
  assert.deepEqual(
    rows.map(({ step, heldOut }) => [step, heldOut]),
    [
      [1, NaN],
      [2, NaN],
      [3, NaN],
    ],
  );
});

test('a training that was taken up from an earlier step has no held-out loss from later ones', () => {
  const rows = curveRows({ curve, evaluations: [evaluation('training', 9, 4)], isTraining: true });
  assert.equal(rows.at(-1)?.step, 3);
});

test('exports of a training have its held-out losses as a curve of their own', () => {
  const others = [{ name: 'Held-out loss', points: [{ step: 0, value: 6 }] }];
  const text = curveCsv([1], [5], [], others);
  assert.equal(text, 'series,step,loss\ntraining,1,5\nHeld-out loss,0,6\n');
  const svg = curveSvg('a training', [1, 2], [5, 4], [], others);
  assert.equal(svg.match(/<polyline/g)?.length, 2);
  assert.match(svg, />Held-out loss</);
});

test('what came of a training is told with the numbers of its receipt, for better or worse', () => {
  const text = (before: number, after: number, fromScratch = false): string =>
    outcomeText({
      ...{ steps: 200, fromScratch },
      ...{ before: { loss: before, batches: 1 }, after: { loss: after, batches: 1 } },
    } as Parameters<typeof outcomeText>[0]);
  assert.equal(text(2, 1.5), 'Trained for 200 steps. Held-out loss fell from 2.000 to 1.500.');
  assert.match(text(1.5, 2), /rose from 1\.500 to 2\.000: it is worse/);
  assert.match(text(9, 2, true), /^Trained from random weights for 200 steps\./);
});
