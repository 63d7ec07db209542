import type { Spread } from '../architecture';
import { add, concat, expand, gemm, reshape, split, transpose, type Tensor } from '../graph';

/**
 * How an axis is widened: by B = [I; M] with M `[D2 − D1, D1]`, of which only the M part costs anything.
 * An axis of several times D1 is as many blocks with the same M, B = [I; diag(M, …, M)]: all old units
 * come first (Mango's feed-forward units). An axis that holds each unit several times is widened alike
 * for each of those times.
 */
export interface Widening {
  readonly lower: Tensor;
  readonly spread?: Spread | undefined;
}

/** The widening of an axis; undefined where it stays as long as it is, B = I. */
export type AxisWidening = Widening | undefined;

/** B W: rows grow. W `[D1, n]` → `[D2, n]`. */
export function widenRows(w: Tensor, widening: AxisWidening): Tensor {
  if (!widening) return w;
  const { lower, spread } = widening;
  return spread
    ? withRowsTogether(w, spread, units => appendRows(units, lower))
    : appendRows(w, lower);
}

/** W Bᵀ: columns grow. W `[n, D1]` → `[n, D2]`; activations of the small space grow the same way. */
export function widenColumns(w: Tensor, widening: AxisWidening): Tensor {
  if (!widening) return w;
  const { lower, spread } = widening;
  return spread
    ? withColumnsTogether(w, spread, units => appendColumns(units, lower))
    : appendColumns(w, lower);
}

/** x B: activations `[n, D2]` read by the small model's columns, `[n, D1]`. */
export function narrowColumns(x: Tensor, widening: AxisWidening): Tensor {
  if (!widening) return x;
  const { lower, spread } = widening;
  return spread
    ? withColumnsTogether(x, spread, units => foldColumns(units, lower))
    : foldColumns(x, lower);
}

/** B v for a vector. */
export function widenVector(v: Tensor, widening: AxisWidening): Tensor {
  if (!widening) return v;
  if (widening.spread) {
    const wide = widenRows(reshape(v, [v.shape[0]!, 1]), widening);
    return reshape(wide, [wide.shape[0]!]);
  }
  const wide = widenColumns(reshape(v, [1, v.shape[0]!]), widening);
  return reshape(wide, [wide.shape[1]!]);
}

/** A value `[1, units]` for each unit as one for each entry of an axis, `[units · times]`. */
export function spreadVector(values: Tensor, spread: Spread | undefined): Tensor {
  const units = values.shape[1]!;
  if (!spread) return reshape(values, [units]);
  const { times, run } = spread;
  const runs = reshape(values, [units / run, 1, run]);
  return reshape(expand(runs, [units / run, times, run]), [units * times]);
}

function appendRows(w: Tensor, m: Tensor): Tensor {
  const [, small] = m.shape as readonly [number, number];
  const blocks = split(w, 0, new Array<number>(w.shape[0]! / small).fill(small));
  return concat([w, ...blocks.map(block => gemm(m, block))], 0);
}

function appendColumns(w: Tensor, m: Tensor): Tensor {
  const [added, small] = m.shape as readonly [number, number];
  const [n, columns] = w.shape as readonly [number, number];
  const count = columns / small;
  const grown = gemm(reshape(w, [n * count, small]), m, { transB: true });
  return concat([w, reshape(grown, [n, count * added])], 1);
}

function foldColumns(x: Tensor, m: Tensor): Tensor {
  const [added, small] = m.shape as readonly [number, number];
  const [n, columns] = x.shape as readonly [number, number];
  const count = columns / (small + added);
  const [kept, grown] = split(x, 1, [count * small, count * added]) as readonly [Tensor, Tensor];
  return add(kept, reshape(gemm(reshape(grown, [n * count, added]), m), [n, count * small]));
}

/** Changes W `[units · times, n]` as `[units, times · n]`. */
function withRowsTogether(
  w: Tensor,
  { times, run }: Spread,
  change: (units: Tensor) => Tensor,
): Tensor {
  const [rows, n] = w.shape as readonly [number, number];
  const units = rows / times;
  const together =
    run === 1 ? w : transpose(reshape(w, [units / run, times, run, n]), [0, 2, 1, 3]);
  const changed = change(reshape(together, [units, times * n]));
  const count = changed.shape[0]!;
  const apart =
    run === 1 ? changed : transpose(reshape(changed, [count / run, run, times, n]), [0, 2, 1, 3]);
  return reshape(apart, [count * times, n]);
}

/** Changes W `[n, units · times]` as `[n · times, units]`. */
function withColumnsTogether(
  w: Tensor,
  { times, run }: Spread,
  change: (units: Tensor) => Tensor,
): Tensor {
  const [n, columns] = w.shape as readonly [number, number];
  const units = columns / times;
  const together = transpose(reshape(w, [n, units / run, times, run]), [0, 2, 1, 3]);
  const changed = change(reshape(together, [n * times, units]));
  const count = changed.shape[1]!;
  const apart = transpose(reshape(changed, [n, times, count / run, run]), [0, 2, 1, 3]);
  return reshape(apart, [n, count * times]);
}
