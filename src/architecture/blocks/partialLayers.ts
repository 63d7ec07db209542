import { concat, gather, slice, type Tensor } from '../../graph';

/**
 * Rows of hidden states [n, hiddenSize] that a layer computes. They make whole sequences of one
 * length; the other rows pass the layer by unchanged.
 */
export interface RowSelection {
  /** int32 [n]: the computed rows, sequence after sequence, then the others. */
  readonly order: Tensor;
  /** int32 [n]: where each row stands in `order`. */
  readonly inverse: Tensor;
  /** Of the computed rows. */
  readonly batchSize: number;
  /** Of the computed rows. */
  readonly sequenceLength: number;
}

/** Layers `begin` … `end − 1` of a network. */
export interface LayerRange {
  readonly begin: number;
  readonly end: number;
}

/** What of a network a forward pass computes. */
export interface PartialLayers {
  /** Layers from the bottom; the others are not read. All of them where absent. */
  readonly count?: number;
  /** Token drop: the tokens that some layers compute (Hou et al. 2022, arXiv 2203.13240). */
  readonly tokens?: LayerRange & { readonly rows: RowSelection };
  /**
   * Layer drop: by layer, the sequences that it computes, for layers that do not compute all. Where
   * tokens are dropped too, these are rows of those that are left.
   */
  readonly sequences?: ReadonlyMap<number, RowSelection>;
}

/** Rows set apart: those to compute, and what puts the others back. */
export interface SelectedRows {
  /** [computed, hiddenSize] */
  readonly computed: Tensor;
  /** All rows in their places again, [n, hiddenSize], with these in place of `computed`. */
  restore(computed: Tensor): Tensor;
}

/** Sets the selected rows of x [n, hiddenSize] apart from the others. */
export function setRowsApart(x: Tensor, rows: RowSelection): SelectedRows {
  const count = rows.batchSize * rows.sequenceLength;
  const ordered = gather(x, rows.order);
  const others = slice(ordered, 0, count, x.shape[0]!);
  return {
    computed: slice(ordered, 0, 0, count),
    restore: computed => gather(concat([computed, others], 0), rows.inverse),
  };
}
