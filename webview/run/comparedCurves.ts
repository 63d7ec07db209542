import type { ComparedPoint, ComparedRun } from '../../src/protocol/messages';

/** What the loss is drawn against. */
export type Horizontal = 'flops' | 'seconds' | 'step';

/** The curve of one run, as it is drawn. */
export interface ComparedCurve {
  readonly run: ComparedRun;
  /** Points with a finite loss, from left to right. */
  readonly points: readonly ComparedPoint[];
}

/** Curves of the methods that are shown; runs without a point have none. */
export function curvesOf(
  runs: readonly ComparedRun[],
  hidden: ReadonlySet<string>,
): readonly ComparedCurve[] {
  return runs
    .filter(({ method }) => !hidden.has(method))
    .map(run => ({ run, points: run.curve.filter(({ loss }) => Number.isFinite(loss)) }))
    .filter(({ points }) => points.length > 0);
}

/** Names of all methods, in the order their first runs are made. */
export const methodsOf = (runs: readonly ComparedRun[]): readonly string[] => [
  ...new Set(runs.map(({ method }) => method)),
];

/**
 * Columns that share one horizontal axis: its values in order, [points], then each curve's losses,
 * null where it has no point.
 */
export function alignedColumns(
  curves: readonly ComparedCurve[],
  horizontal: Horizontal,
): readonly [number[], ...(number | null)[][]] {
  const places = [
    ...new Set(curves.flatMap(({ points }) => points.map(point => point[horizontal]))),
  ].sort((a, b) => a - b);
  const indexOf = new Map(places.map((place, index) => [place, index]));
  const columns = curves.map(({ points }) => {
    const column: (number | null)[] = places.map(() => null);
    for (const point of points) column[indexOf.get(point[horizontal])!] = point.loss;
    return column;
  });
  return [places, ...columns];
}

/** The curve whose point at a place, or next to it, is nearest to a loss. */
export function nearestPoint(
  curves: readonly ComparedCurve[],
  horizontal: Horizontal,
  at: { readonly place: number; readonly loss: number },
): { readonly curve: number; readonly point: number } | undefined {
  let best: { curve: number; point: number; distance: number } | undefined;
  curves.forEach(({ points }, curve) => {
    const point = nearestIndex(points, horizontal, at.place);
    const distance = Math.abs(points[point]!.loss - at.loss);
    if (best === undefined || distance < best.distance) best = { curve, point, distance };
  });
  return best && { curve: best.curve, point: best.point };
}

/** Index of the point nearest to a place; of at least one point. */
export function nearestIndex(
  points: readonly ComparedPoint[],
  horizontal: Horizontal,
  place: number,
): number {
  let best = 0;
  points.forEach((point, index) => {
    const nearer =
      Math.abs(point[horizontal] - place) < Math.abs(points[best]![horizontal] - place);
    if (nearer) best = index;
  });
  return best;
}
