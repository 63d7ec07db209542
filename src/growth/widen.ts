import { add, concat, gemm, reshape, split, type Tensor } from '../graph';

/**
 * Products with B = [I; M], where M is `[D2 − D1, D1]`: only the M part costs anything. An undefined
 * M is a space that does not grow, where B = I.
 */
export type LowerBlock = Tensor | undefined;

/** B W: rows grow. W `[D1, n]` → `[D2, n]`. */
export function widenRows(w: Tensor, m: LowerBlock): Tensor {
  return m ? concat([w, gemm(m, w)], 0) : w;
}

/** W Bᵀ: columns grow. W `[n, D1]` → `[n, D2]`; activations of the small space grow the same way. */
export function widenColumns(w: Tensor, m: LowerBlock): Tensor {
  return m ? concat([w, gemm(w, m, { transB: true })], 1) : w;
}

/** x B: activations `[n, D2]` read by the small model's columns, `[n, D1]`. */
export function narrowColumns(x: Tensor, m: LowerBlock): Tensor {
  if (!m) return x;
  const [added, small] = m.shape as readonly [number, number];
  const [kept, grown] = split(x, 1, [small, added]) as readonly [Tensor, Tensor];
  return add(kept, gemm(grown, m));
}

/** B v for a vector. */
export function widenVector(v: Tensor, m: LowerBlock): Tensor {
  if (!m) return v;
  const [added, small] = m.shape as readonly [number, number];
  return reshape(widenColumns(reshape(v, [1, small]), m), [small + added]);
}
