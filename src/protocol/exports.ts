/** Files that a tensor is written into. */
export type ExportFormat = 'npy' | 'csv';

/** What was written of a tensor. */
export interface ExportedTensor {
  readonly tensor: string;
  /** Absolute path. */
  readonly file: string;
  readonly format: ExportFormat;
  /** Of the elements as they are written. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Rows and columns of a CSV. */
  readonly matrix: readonly [rows: number, columns: number];
  /** What is not as it is in the checkpoint. */
  readonly notes: readonly string[];
}
