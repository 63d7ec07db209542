/** A curve made calm, with what it hides: the smallest and largest value of every window. */
export interface Smoothed {
  readonly mean: (number | null)[];
  readonly low: (number | null)[];
  readonly high: (number | null)[];
}

/** Positions a slider has at most besides the first. */
const mostPositions = 100;

/** Steps on either side of a point in the widest window: together a quarter of the curve. */
const widestReach = (length: number): number =>
  length < 3 ? 0 : Math.max(1, Math.round(length / 8));

/** The last position of the slider for a curve of so many steps; 0 where there is nothing to smooth. */
export const lastPosition = (length: number): number =>
  Math.min(mostPositions, widestReach(length));

/** The position nearest to a share 0…1 of the way; only at 0 nothing is smoothed. */
export const positionAt = (share: number, length: number): number =>
  share <= 0 ? 0 : Math.max(1, Math.round(share * lastPosition(length)));

/**
 * Window in steps for a position of the slider: 1 at the left, a quarter of the curve at the right,
 * finer steps at the left. Every position has another window.
 */
export function windowFor(position: number, length: number): number {
  const last = lastPosition(length);
  if (position <= 0 || last === 0) return 1;
  const at = Math.min(position, last);
  const reach = Math.round((at / last) ** 2 * widestReach(length));
  return 1 + 2 * Math.max(at, reach);
}

/**
 * Mean, minimum and maximum of a window centred on each point (shorter at the ends). Points that are
 * not finite count nowhere; a window without any finite point is null.
 */
export function smooth(values: readonly number[], window: number): Smoothed {
  const reach = Math.floor(window / 2);
  const mean: (number | null)[] = [];
  const low: (number | null)[] = [];
  const high: (number | null)[] = [];
  let sum = 0;
  let count = 0;
  const change = (index: number, sign: 1 | -1): void => {
    const value = values[index];
    if (value === undefined || !Number.isFinite(value)) return;
    sum += sign * value;
    count += sign;
  };
  const lows = slidingBest(values, reach, (a, b) => a <= b);
  const highs = slidingBest(values, reach, (a, b) => a >= b);
  for (let index = 0; index < Math.min(reach, values.length); index++) change(index, 1);
  for (let index = 0; index < values.length; index++) {
    change(index + reach, 1);
    change(index - reach - 1, -1);
    mean.push(count > 0 ? sum / count : null);
    low.push(lows[index] ?? null);
    high.push(highs[index] ?? null);
  }
  return { mean, low, high };
}

/** The best finite value of every centred window in linear time: candidates in a monotone queue. */
function slidingBest(
  values: readonly number[],
  reach: number,
  beats: (a: number, b: number) => boolean,
): (number | null)[] {
  const queue: number[] = [];
  let head = 0;
  const at = (place: number): number => values[queue[place] ?? -1] ?? NaN;
  const result: (number | null)[] = [];
  for (let entering = 0; entering < values.length + reach; entering++) {
    const value = values[entering];
    if (value !== undefined && Number.isFinite(value)) {
      while (queue.length > head && beats(value, at(queue.length - 1))) queue.pop();
      queue.push(entering);
    }
    const center = entering - reach;
    if (center < 0) continue;
    while (head < queue.length && (queue[head] ?? 0) < center - reach) head++;
    result.push(head < queue.length ? at(head) : null);
  }
  return result;
}
