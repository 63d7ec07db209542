import type { JsonObject } from '../jsonText';
import type { ReadBytes } from '../layouts/layout';
import type { TensorInfo } from '../tensor';
import type { Note, UserError } from '../../errors';

/** A regular file that is open, for whoever reads its format. */
export interface FormatFile {
  /** What messages call it, and what its tensors name. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** Its first bytes, `HEAD_BYTES` at most. */
  readonly head: Uint8Array;
  readonly read: ReadBytes;
  /**
   * Another file of its folder, under a name that stands in this one: it belongs to the checkpoint from
   * then on. @throws UserError when it leads out of the folder, is missing or no regular file
   */
  readonly beside: (name: string) => Promise<FileBeside>;
}

/** A file that another one names. */
export interface FileBeside {
  /** What messages call it, and what layouts give to `ReadBytes`. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
}

/** What one file of a format holds, all of it validated. */
export interface FileContents {
  /** Free text that its writer left, without a prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their data. */
  readonly tensors: readonly TensorInfo[];
  /** The config.json that the file itself tells, in formats that need none beside them. */
  readonly config?: JsonObject;
  /** What it says that the reader passes over. */
  readonly notes?: readonly Note[];
  /** What keeps it from being used, although its tensors can be listed. */
  readonly problems?: readonly UserError[];
}

/** A kind of file that holds tensors. Readers of one run nothing that stands in it. */
export interface Format {
  readonly id: string;
  /** Whether the first bytes of a file of this many bytes promise one worth a closer look. */
  recognises(head: Uint8Array, fileBytes: number): boolean;
  /** Reads and validates what tells of the tensors, no values. @throws CorruptFileError, UnsupportedError */
  open(file: FormatFile): Promise<FileContents>;
}
