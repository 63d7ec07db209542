import type { JsonObject } from '../../jsonText';
import type { Facts } from './facts';

/** What llama.cpp's converter did to a tensor, to be undone. */
export type Done =
  /** The two halves of the rows of each head of queries were interleaved. */
  | 'interleavedQueries'
  /** The same of keys. */
  | 'interleavedKeys'
  /** Queries, keys and values of all heads follow each other, in place of each head's own. */
  | 'partsFirst'
  /** 1 was added. */
  | 'plusOne'
  /** Rows and columns changed places. */
  | 'transposed';

/** How the tensors and metadata of one of llama.cpp's architectures become a model of transformers. */
export interface GgufArchitecture {
  readonly modelType: string;
  readonly className: string;
  /**
   * Modules of the file by transformers' names for them, `{n}` for the number of a layer, without what
   * they end in (`.weight`, `.bias`).
   */
  readonly names: Readonly<Record<string, string>>;
  /** What was done to a module's tensors; to all norms where it is named `norm`. */
  readonly done?: Readonly<Record<string, Done>>;
  /** Fields of config.json by the entries of metadata that hold them. */
  readonly fields: Readonly<Record<string, string>>;
  /** Entries that say what holds for every model of the architecture, or what only llama.cpp uses. */
  readonly known?: readonly string[];
  /** Whether `rope.dimension_count` may be less than a head. */
  readonly turnsParts?: boolean;
  /** Fields that no single entry holds. @throws UserError when the model is not one of transformers' */
  readonly more?: (facts: Facts) => JsonObject;
}
