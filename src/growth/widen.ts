import { add, concat, gemm, reshape, split, type Tensor } from '../graph';

/**
 * Products with B = [I; M], where M is `[D2 − D1, D1]`: only the M part costs anything. An undefined
 * M is a space that does not grow, where B = I. An axis of several times D1 is as many blocks with the
 * same M, B = [I; diag(M, …, M)]: all old units come first (Mango's feed-forward units).
 */
export type LowerBlock = Tensor | undefined;

/** B W: rows grow. W `[D1, n]` → `[D2, n]`. */
export function widenRows(w: Tensor, m: LowerBlock): Tensor {
  if (!m) return w;
  const [, small] = m.shape as readonly [number, number];
  const blocks = split(w, 0, new Array<number>(w.shape[0]! / small).fill(small));
  return concat([w, ...blocks.map(block => gemm(m, block))], 0);
}

/** W Bᵀ: columns grow. W `[n, D1]` → `[n, D2]`; activations of the small space grow the same way. */
export function widenColumns(w: Tensor, m: LowerBlock): Tensor {
  if (!m) return w;
  const [added, small] = m.shape as readonly [number, number];
  const [n, columns] = w.shape as readonly [number, number];
  const count = columns / small;
  const grown = gemm(reshape(w, [n * count, small]), m, { transB: true });
  return concat([w, reshape(grown, [n, count * added])], 1);
}

/** x B: activations `[n, D2]` read by the small model's columns, `[n, D1]`. */
export function narrowColumns(x: Tensor, m: LowerBlock): Tensor {
  if (!m) return x;
  const [added, small] = m.shape as readonly [number, number];
  const [n, columns] = x.shape as readonly [number, number];
  const count = columns / (small + added);
  const [kept, grown] = split(x, 1, [count * small, count * added]) as readonly [Tensor, Tensor];
  return add(kept, reshape(gemm(reshape(grown, [n * count, added]), m), [n, count * small]));
}

/** B v for a vector. */
export function widenVector(v: Tensor, m: LowerBlock): Tensor {
  if (!m) return v;
  const wide = widenColumns(reshape(v, [1, v.shape[0]!]), m);
  return reshape(wide, [wide.shape[1]!]);
}
