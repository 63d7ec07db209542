import type { Tensor } from '../graph/tensor';

/** A projection to scores kept as its factors, so that a loss can choose the cheapest form. */
export interface Readout {
  /** [n, width] */
  readonly features: Tensor;
  /** [classes, width] */
  readonly table: Tensor;
  /** [classes] */
  readonly bias: Tensor | undefined;
  /** Where set, scores s become softCap · tanh(s / softCap) (Gemma Team 2024). */
  readonly softCap?: number;
}

/** Rows of a table to add into an embedding. */
export type Lookup =
  /** Row numbers, int32 [n]. */
  | { readonly table: string; readonly rows: Tensor }
  /** Rows `start` … `start + count − 1`, repeated for each of the n / count sequences. */
  | { readonly table: string; readonly start: number; readonly count: number };

/**
 * How a forward pass reads its parameters (by `Parameter.id`). A plain model gives them as they are;
 * a growing model gives the grown ones in whatever factored form is cheapest.
 */
export interface Weights {
  /** The whole parameter: [out, in] or [width]. */
  tensor(id: string): Tensor;
  /**
   * x Wᵀ + b for several modules that read the same x: x [n, in] → one [n, out] each.
   * `modules` are ids without the part: `layers.3.q`. A module without a bias has none added.
   */
  linear(x: Tensor, modules: readonly string[]): Tensor[];
  /** The sum of table rows, [n, width]. At least one lookup gives `rows`. */
  embedding(lookups: readonly Lookup[]): Tensor;
  /** Scores of x [n, in] against a table [classes, in], by parameter ids. */
  readout(x: Tensor, table: string, bias: string | undefined): Readout;
}
