import { everySecond, followOn } from '../../src/protocol/curve';
import { withEvaluation } from '../../src/protocol/evaluation';
import type { PooledMatrix } from '../../src/protocol/events';
import type { OperatorSnapshot, RunDetail, ToRunPanel } from '../../src/protocol/messages';
import { matrixOf, type Matrix } from '../heatmap/matrix';

/** An increment as the host sends it. */
export type Append = Extract<ToRunPanel, { type: 'append' }>;

/** An operator at one moment. */
export type OperatorMatrix = Matrix & Pick<PooledMatrix, 'group'>;

/** All operators at one moment. */
export interface MatrixSnapshot {
  readonly step: number;
  readonly operators: readonly OperatorMatrix[];
  /** Operators that are not shown. */
  readonly omitted?: number | undefined;
}

/** A run as the page keeps it: matrices as typed arrays, half the size of what arrives. */
export type PageRun = Omit<RunDetail, 'snapshots' | 'history'> & {
  readonly snapshots: readonly MatrixSnapshot[];
  /** Steps of pictures that the host has and did not send yet. */
  readonly history?: readonly number[];
};

const compact = ({ step, operators, omitted }: OperatorSnapshot): MatrixSnapshot => ({
  step,
  omitted,
  operators: operators.map(operator => ({ ...matrixOf(operator), group: operator.group })),
});

/** A run as the host sends it whole. */
export function pageRun(run: RunDetail): PageRun {
  const snapshots = thin(run.snapshots.map(compact), mostCells);
  return { ...run, snapshots, history: notIn(snapshots, run.history ?? []) };
}

/** Steps that there is no snapshot of. */
function notIn(snapshots: readonly MatrixSnapshot[], steps: readonly number[]): readonly number[] {
  const known = new Set(snapshots.map(({ step }) => step));
  return steps.filter(step => !known.has(step));
}

/** 160 MB of matrices. */
const mostCells = 40_000_000;

/** Every second snapshot, and the first and the newest, as often as it takes to stay below `most` cells. */
export function thin(
  snapshots: readonly MatrixSnapshot[],
  most: number,
): readonly MatrixSnapshot[] {
  const cells = snapshots.reduce(
    (sum, { operators }) => operators.reduce((part, { values }) => part + values.length, sum),
    0,
  );
  if (cells <= most || snapshots.length < 3) return snapshots;
  return thin(everySecond(snapshots), most);
}

/** Snapshots in the order of their steps; one that was there already is not replaced by its history's. */
function withPast(
  known: readonly MatrixSnapshot[],
  past: readonly MatrixSnapshot[],
): readonly MatrixSnapshot[] {
  const bySteps = new Map([...past, ...known].map(snapshot => [snapshot.step, snapshot]));
  return [...bySteps.values()].sort((a, b) => a.step - b.step);
}

/** Pictures after an increment, and the steps of those still to come. */
function followPictures(
  { snapshots, history = [] }: PageRun,
  more: Append,
): Pick<PageRun, 'snapshots' | 'history'> {
  const fresh = more.snapshots.map(compact);
  if (more.past !== undefined) {
    const all = thin(withPast(snapshots, fresh), mostCells);
    return { snapshots: all, history: more.past === 'all' ? [] : notIn(all, history) };
  }
  const first = fresh[0];
  if (first === undefined) return { snapshots, history };
  return {
    snapshots: thin(followOn(snapshots, fresh), mostCells),
    // A run that was taken up again goes back to an earlier step.
    history: history.filter(step => step < first.step),
  };
}

function followCurve(old: RunDetail['curve'], more: Append): RunDetail['curve'] {
  if (more.steps.length === 0) return old;
  const pairs = ({ steps, losses, rates }: RunDetail['curve']) =>
    steps.map((step, index) => ({
      step,
      loss: losses[index] ?? NaN,
      rate: rates?.[index] ?? NaN,
    }));
  const all = followOn(pairs(old), pairs(more));
  const hasRates = (old.rates ?? more.rates) !== undefined;
  return {
    steps: all.map(({ step }) => step),
    losses: all.map(({ loss }) => loss),
    ...(hasRates && { rates: all.map(({ rate }) => rate) }),
  };
}

/** A run after an increment. */
export function appendTo(run: PageRun, more: Append): PageRun {
  return {
    ...run,
    ...more.facts,
    summary: more.summary,
    curve: followCurve(run.curve, more),
    ...followPictures(run, more),
    comparison: more.comparison ?? run.comparison,
    evaluations: more.evaluations.reduce(withEvaluation, run.evaluations),
  };
}
