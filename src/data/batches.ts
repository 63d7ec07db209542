import type { Note } from '../errors';

/** The tensors of one batch by the name of the program input they feed. */
export type Batch = Readonly<Record<string, Float32Array | Int32Array>>;

/** What the receipt says about a data source. */
export interface DataDescription {
  /** Names of the files, relative to the path the person gave. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** SHA-256 over names and sizes and, below a limit, the contents: see `hashed`. */
  readonly sha256: string;
  /** 'contents' when every byte was hashed, 'sampled' when the source was too large for that. */
  readonly hashed: 'contents' | 'sampled';
  readonly heldOut: string;
}

/**
 * Fixed-shape batches of one data source. `train` and `evaluate` are pure functions of the seed and
 * their index, so a run can resume at any step and see the batches it would have seen.
 */
export interface BatchSource {
  /** Tokens, images or labelled texts in one batch, for rates. */
  readonly itemsPerBatch: number;
  readonly unit: 'tokens' | 'images' | 'texts';
  readonly evaluationBatches: number;
  /** Of running text: the bytes that are trained on, from the first one of all files on. */
  readonly trainBytes?: number;
  readonly description: DataDescription;
  /** What a person should know: what was left out, how the rest is read. */
  readonly notes: readonly Note[];
  /** The training batch of a step, 0-based. */
  train(step: number): Promise<Batch>;
  /** The held-out batch `index`, in 0…evaluationBatches − 1; the same for every run of a seed. */
  evaluate(index: number): Promise<Batch>;
  /**
   * Makes sure that the files hold what `description` says of them; the notes tell of files that were
   * touched meanwhile. @throws CorruptFileError naming one that is gone or holds something else
   */
  requireUnchanged(): Promise<readonly Note[]>;
  close(): Promise<void>;
}
