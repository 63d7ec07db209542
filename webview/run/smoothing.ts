/** A curve made calm, with what it hides: the smallest and largest value of every window. */
export interface Smoothed {
  readonly mean: (number | null)[];
  readonly low: (number | null)[];
  readonly high: (number | null)[];
}

/** Window in steps for a slider position 0…1: 1 at the left, a quarter of the curve at the right. */
export const windowFor = (position: number, length: number): number =>
  1 + 2 * Math.round((position ** 2 * length) / 8);

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
