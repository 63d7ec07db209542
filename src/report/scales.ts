/** Maps values to places along one axis of a picture. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  place(value: number): number;
}

/** A linear scale; `from` and `to` are where its ends lie. */
export function linearScale(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
): Scale {
  const span = high - low || 1;
  return { low, high, place: value => from + ((value - low) / span) * (to - from) };
}

/** Round values inside a range, about as many as asked for: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, about: number): readonly number[] {
  const rough = (high - low) / about;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough)!;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  // Multiples are rounded so that 0.30000000000000004 is written as 0.3.
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/**
 * Moves places apart until neighbours have a gap, as little as it takes, between two ends. The order of
 * places stays; the result is in the order given.
 */
export function spreadApart(
  places: readonly number[],
  gap: number,
  [low, high]: readonly [number, number],
): readonly number[] {
  const order = places.map((_, index) => index).sort((a, b) => places[a]! - places[b]!);
  const moved = [...places];
  let free = low;
  for (const index of order) {
    const place = Math.max(moved[index]!, free);
    moved[index] = place;
    free = place + gap;
  }
  let limit = high;
  for (const index of order.reverse()) {
    const place = Math.min(moved[index]!, limit);
    moved[index] = place;
    limit = place - gap;
  }
  return moved;
}
