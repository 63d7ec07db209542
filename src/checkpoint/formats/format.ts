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
  /** Bytes of the tensors where those that share some count once; absent where none do. */
  readonly bytesOnce?: number;
  /** The config.json that the file itself tells, in formats that need none beside them; it counts before one that lies there. */
  readonly config?: JsonObject;
  /** Why it tells none, in such formats. */
  readonly noConfig?: UserError;
  /**
   * Files that belong beside it and that it tells itself, a tokenizer's; made when they are asked for,
   * where none of them lies there.
   */
  readonly companions?: ReadonlyMap<string, (read: ReadBytes) => Promise<string>>;
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
