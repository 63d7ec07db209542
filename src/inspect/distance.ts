import type { Distance } from '../protocol/differences';

/** Values of a tensor, or of a part of one. */
type Values = Float32Array | Float64Array;

/** Sums over elements of two tensors that are finite in both; those of parts add up to those of the whole. */
export interface Sums {
  /** Σ a², Σ b², Σ a·b, Σ (b − a)². */
  readonly before: number;
  readonly after: number;
  readonly product: number;
  readonly difference: number;
  /** Largest |b − a|. */
  readonly largest: number;
  readonly compared: number;
  readonly notFiniteBefore: number;
  readonly notFiniteAfter: number;
}

/** Of no elements. */
export const noSums: Sums = {
  before: 0,
  after: 0,
  product: 0,
  difference: 0,
  largest: 0,
  compared: 0,
  notFiniteBefore: 0,
  notFiniteAfter: 0,
};

/** Sums over as many elements of the one as of the other, in float64. */
export function sumsOf(a: Values, b: Values): Sums {
  let [before, after, product, difference] = [0, 0, 0, 0];
  let [largest, compared, notFiniteBefore, notFiniteAfter] = [0, 0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const x = a[index]!;
    const y = b[index]!;
    // What is not finite has no difference to itself that is 0.
    const isFiniteX = x - x === 0;
    const isFiniteY = y - y === 0;
    if (!isFiniteX) notFiniteBefore++;
    if (!isFiniteY) notFiniteAfter++;
    if (!isFiniteX || !isFiniteY) continue;
    const moved = y - x;
    const size = Math.abs(moved);
    before += x * x;
    after += y * y;
    product += x * y;
    difference += moved * moved;
    if (size > largest) largest = size;
    compared++;
  }
  return {
    before,
    after,
    product,
    difference,
    largest,
    compared,
    notFiniteBefore,
    notFiniteAfter,
  };
}

/** The sums over both. */
export const addSums = (a: Sums, b: Sums): Sums => ({
  before: a.before + b.before,
  after: a.after + b.after,
  product: a.product + b.product,
  difference: a.difference + b.difference,
  largest: Math.max(a.largest, b.largest),
  compared: a.compared + b.compared,
  notFiniteBefore: a.notFiniteBefore + b.notFiniteBefore,
  notFiniteAfter: a.notFiniteAfter + b.notFiniteAfter,
});

/** What sums say of how far values moved. */
export function distanceOf(sums: Sums): Distance {
  const [before, after, moved] = [sums.before, sums.after, sums.difference].map(Math.sqrt) as [
    number,
    number,
    number,
  ];
  const isNone = sums.compared === 0;
  const cosine = sums.product / before / after;
  return {
    relative: isNone ? NaN : moved === 0 ? 0 : moved / before,
    // Rounding may bring it beyond its ends.
    cosine: Math.max(-1, Math.min(1, cosine)),
    largest: isNone ? NaN : sums.largest,
    compared: sums.compared,
    notFinite: { before: sums.notFiniteBefore, after: sums.notFiniteAfter },
  };
}
