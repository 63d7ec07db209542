/** Something at a step of a training. */
export interface AtStep {
  readonly step: number;
}

/**
 * Points in the order of their steps. Each curve stays as it is; one that goes on shares the head with the
 * one before it, so that a point costs a copy of the short tail alone.
 */
export interface Curve<Point extends AtStep> {
  readonly head: readonly Point[];
  readonly tail: readonly Point[];
}

export const emptyCurve: Curve<never> = { head: [], tail: [] };

/** Points of a curve at most; every second one goes when there are more. */
const mostPoints = 8000;
/** Points of a tail at most. */
const longestTail = 100;

/** All points. */
export const pointsOf = <Point extends AtStep>({ head, tail }: Curve<Point>): readonly Point[] => [
  ...head,
  ...tail,
];

/** The newest point. */
export const lastOf = <Point extends AtStep>({ head, tail }: Curve<Point>): Point | undefined =>
  tail.at(-1) ?? head.at(-1);

/**
 * The curve with one more point. A run that was killed and begun anew goes back to an earlier step: then
 * what was known from there on is no more.
 */
export function withPoint<Point extends AtStep>(curve: Curve<Point>, point: Point): Curve<Point> {
  const { head, tail } = before(curve, point.step);
  const longer = [...tail, point];
  if (head.length + longer.length > mostPoints) {
    return { head: everySecond([...head, ...longer]), tail: [] };
  }
  if (longer.length > longestTail) return { head: [...head, ...longer], tail: [] };
  return { head, tail: longer };
}

/** The part of a curve before a step. */
function before<Point extends AtStep>(curve: Curve<Point>, step: number): Curve<Point> {
  if ((lastOf(curve)?.step ?? -Infinity) < step) return curve;
  const tail = upTo(curve.tail, step);
  return { head: tail.length > 0 ? curve.head : upTo(curve.head, step), tail };
}

/** Those before a step; the list itself where all are. */
function upTo<Point extends AtStep>(points: readonly Point[], step: number): readonly Point[] {
  const length = points.findLastIndex(point => point.step < step) + 1;
  return length === points.length ? points : points.slice(0, length);
}

/** Old entries and then fresh ones, by the same rule: those that come again stand once. */
export const followOn = <Point extends AtStep>(
  old: readonly Point[],
  fresh: readonly Point[],
): readonly Point[] => pointsOf(fresh.reduce<Curve<Point>>(withPoint, { head: old, tail: [] }));

/** Every second of a list, the first and the last among them. */
export const everySecond = <T>(list: readonly T[]): readonly T[] =>
  list.filter((_, index) => index % 2 === 0 || index === list.length - 1);

/** At most so many of the values, evenly, the last among them. */
export function thin<T>(values: readonly T[], most: number): readonly T[] {
  if (values.length <= most) return values;
  const distance = (values.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => values[Math.round(index * distance)]!);
}
