/** What is shown of a run, from what it told. */
import {
  comparedLosses,
  comparisonDetail,
  comparisonMoment,
  comparisonProgress,
  comparisonSecondsLeft,
  sameDetail,
} from './comparisonState';
import { lastOf, pointsOf, thin } from './curve';
import type { RunCurve, RunCurves, RunDetail, RunIncrement, RunSummary } from './messages';
import type { RunState, StepLoss } from './runState';

/** What a run that works is doing. */
export type ToldPhase =
  'starting' | 'measuring' | 'learning' | 'writing' | 'comparing' | 'reporting';

/** Points of the small loss curve in lists. */
const sparklinePoints = 200;

/** What is being done, of a run that goes on. */
export function toldPhase(state: RunState): ToldPhase {
  const { comparison, evaluations, curve, stepsPlanned, device } = state;
  const before = device === undefined ? 'starting' : 'measuring';
  if (comparison) {
    if (comparisonMoment(comparison)) return 'comparing';
    return comparison.ended < comparison.planned ? before : 'reporting';
  }
  // What is written is what is measured.
  if (evaluations.some(({ model }) => model === 'after')) return 'measuring';
  const last = lastOf(curve);
  if (!last) return before;
  return last.step >= stepsPlanned ? 'writing' : 'learning';
}

/** By the pace of the last steps; undefined before the first. */
export function secondsLeft({
  comparison,
  recentSeconds,
  stepsPlanned,
  curve,
}: RunState): number | undefined {
  if (comparison) return comparisonSecondsLeft(comparison);
  if (recentSeconds.length === 0) return undefined;
  const pace = recentSeconds.reduce((sum, seconds) => sum + seconds, 0) / recentSeconds.length;
  return pace * Math.max(0, stepsPlanned - (lastOf(curve)?.step ?? 0));
}

/** Of what came out: the receipt's, or what was measured before that is written. */
function heldOutLoss({ receipt, training, evaluations }: RunState): number | undefined {
  const after = evaluations.findLast(({ model }) => model === 'after');
  return receipt?.losses?.after.loss ?? training?.after.loss ?? after?.loss;
}

/** The part of a run's summary that its events tell. */
export function toldSummary(
  state: RunState,
): Pick<
  RunSummary,
  | 'step'
  | 'steps'
  | 'loss'
  | 'heldOutLoss'
  | 'lossHistory'
  | 'secondsLeft'
  | 'tokensPerSecond'
  | 'device'
  | 'reason'
  | 'usage'
> {
  const { comparison, curve, stepsPlanned, tokensPerSecond, device, reason, usage } = state;
  const losses = comparison ? comparedLosses(comparison) : pointsOf(curve).map(({ loss }) => loss);
  return {
    ...(comparison
      ? comparisonProgress(comparison)
      : { step: lastOf(curve)?.step ?? 0, steps: stepsPlanned }),
    loss: losses.at(-1),
    heldOutLoss: heldOutLoss(state),
    lossHistory: thin(losses, sparklinePoints),
    secondsLeft: secondsLeft(state),
    tokensPerSecond,
    device,
    reason,
    usage,
  };
}

/** The part of a run's detail that its events tell, without pictures of operators. */
export function toldDetail(state: RunState): Omit<RunDetail, 'summary'> {
  const { plan, evaluations, warnings, receipt, training, comparison } = state;
  return {
    plan,
    curve: columnsOf(pointsOf(state.curve)),
    evaluations,
    snapshots: [],
    warnings,
    receipt,
    training,
    comparison: comparison && comparisonDetail(comparison),
  };
}

/** Evaluations of the model that a run makes, in the order of its steps. */
const ofResult = new Set(['before', 'training', 'after']);

/** What a chart of several runs shows of one. */
export function curvesOf(state: RunState): Pick<RunCurves, 'curve' | 'heldOut'> {
  const evaluated = state.evaluations.filter(({ model }) => ofResult.has(model));
  const bySteps = new Map(evaluated.map(evaluation => [evaluation.step, evaluation]));
  const heldOut = [...bySteps.values()].sort((a, b) => a.step - b.step);
  return { curve: columnsOf(pointsOf(state.curve)), heldOut: columnsOf(heldOut) };
}

/** What makes the detail of one state that of a later one. */
export function incrementBetween(before: RunState, after: RunState): RunIncrement {
  const { plan, warnings, receipt, training, comparison } = after;
  const hasFacts =
    plan !== before.plan ||
    warnings !== before.warnings ||
    receipt !== before.receipt ||
    training !== before.training;
  const isCompared =
    comparison && !(before.comparison && sameDetail(before.comparison, comparison));
  return {
    ...columnsOf(newIn(pointsOf(before.curve), pointsOf(after.curve))),
    evaluations: newIn(before.evaluations, after.evaluations),
    ...(hasFacts && { facts: { plan, warnings, receipt, training } }),
    ...(isCompared && { comparison: comparisonDetail(comparison) }),
  };
}

/** Points as parallel lists; rates where any is known. */
const columnsOf = (points: readonly StepLoss[]): RunCurve => ({
  steps: points.map(({ step }) => step),
  losses: points.map(({ loss }) => loss),
  ...(points.some(({ rate }) => rate !== undefined) && {
    rates: points.map(({ rate = NaN }) => rate),
  }),
});

/** What was added at the end of a list. */
function newIn<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const known = new Set(before);
  return after.slice(after.findLastIndex(each => known.has(each)) + 1);
}
