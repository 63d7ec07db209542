import type { ComparedPoint, RunCurves } from '../../src/protocol/messages';
import { thin } from '../../src/protocol/curve';
import type { ComparedCurve } from '../run/comparedCurves';
import { smooth } from '../run/smoothing';

/** Which losses of runs are drawn. */
export type Shown = 'heldOut' | 'batch';

/** Points of a curve that are drawn, at most. */
const mostPoints = 500;

/** Steps that a batch loss is the mean of, so that several curves can be told apart: a twentieth of a run. */
const windowOf = (length: number): number => 1 + 2 * Math.floor(length / 40);

/** The curves of runs that are shown, as a comparison's chart draws them; runs without a point have none. */
export function drawnCurves(
  runs: readonly RunCurves[],
  shown: Shown,
  hidden: ReadonlySet<string>,
): readonly ComparedCurve[] {
  return runs
    .filter(({ id }) => !hidden.has(id))
    .map(run => ({ run: nameOf(run), points: pointsOf(run, shown) }))
    .filter(({ points }) => points.length > 0);
}

/** A run in place of a method: its id tells it from others. */
const nameOf = ({ id }: RunCurves): ComparedCurve['run'] => ({
  method: id,
  seed: 0,
  state: 'finished',
  curve: [],
  message: undefined,
});

function pointsOf({ curve, heldOut }: RunCurves, shown: Shown): readonly ComparedPoint[] {
  const { steps, losses } =
    shown === 'heldOut'
      ? heldOut
      : { ...curve, losses: smooth(curve.losses, windowOf(curve.losses.length)).mean };
  const points = steps.flatMap((step, index) => {
    const loss = losses[index];
    if (loss === undefined || loss === null || !Number.isFinite(loss)) return [];
    return [{ step, loss, flops: NaN, seconds: NaN }];
  });
  return thin(points, mostPoints);
}
