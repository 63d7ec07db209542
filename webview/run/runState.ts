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
}

/** A run as the page keeps it: matrices as typed arrays, half the size of what arrives. */
export type PageRun = Omit<RunDetail, 'snapshots'> & {
  readonly snapshots: readonly MatrixSnapshot[];
};

const compact = ({ step, operators }: OperatorSnapshot): MatrixSnapshot => ({
  step,
  operators: operators.map(operator => ({ ...matrixOf(operator), group: operator.group })),
});

/** A run as the host sends it whole. */
export const pageRun = (run: RunDetail): PageRun => ({
  ...run,
  snapshots: thin(run.snapshots.map(compact), mostCells),
});

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
  const last = snapshots.length - 1;
  return thin(
    snapshots.filter((_, index) => index % 2 === 0 || index === last),
    most,
  );
}

/**
 * Old entries and then the fresh ones. Entries may come again, and a run that was taken up again goes
 * back to an earlier step: then what was known from there on is no more.
 */
export function followOn<T extends { readonly step: number }>(
  old: readonly T[],
  fresh: readonly T[],
): readonly T[] {
  const result = [...old];
  for (const entry of fresh) {
    while ((result.at(-1)?.step ?? -Infinity) >= entry.step) result.pop();
    result.push(entry);
  }
  return result;
}

function followCurve(old: RunDetail['curve'], more: Append): RunDetail['curve'] {
  if (more.steps.length === 0) return old;
  const pairs = ({ steps, losses }: RunDetail['curve']): { step: number; loss: number }[] =>
    steps.map((step, index) => ({ step, loss: losses[index] ?? NaN }));
  const all = followOn(pairs(old), pairs(more));
  return { steps: all.map(({ step }) => step), losses: all.map(({ loss }) => loss) };
}

/** One evaluation of a model at a step; the newest counts. */
function newest(evaluations: RunDetail['evaluations']): RunDetail['evaluations'] {
  return [...new Map(evaluations.map(entry => [`${entry.model} ${entry.step}`, entry])).values()];
}

/** A run after an increment. */
export function appendTo(run: PageRun, more: Append): PageRun {
  return {
    ...run,
    ...more.facts,
    summary: more.summary,
    curve: followCurve(run.curve, more),
    snapshots:
      more.snapshots.length === 0
        ? run.snapshots
        : thin(followOn(run.snapshots, more.snapshots.map(compact)), mostCells),
    comparison: more.comparison ?? run.comparison,
    evaluations: newest([...run.evaluations, ...more.evaluations]),
  };
}
