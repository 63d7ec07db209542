import type { Note, UserError } from '../../../errors';
import type { Deflated } from '../../layouts/inflated';
import type { PyValue, TensorView } from './pickle/values';

/** Where a storage lies in its file. */
export interface Place {
  /** Its first byte, or the first of what is deflated of it. */
  readonly begin: number;
  /** How it is packed; absent where its bytes stand in the file as they are. */
  readonly deflated?: Deflated;
}

/** What a file of torch holds, whatever its form. */
export interface Content {
  /** What torch.load would return, as a description. */
  readonly root: PyValue;
  /** Where storages lie, by key; checked to lie in the file whole. @throws CorruptFileError */
  places(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, Place>>;
  readonly notes: readonly Note[];
}

/** Tensors of a model by name. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, TensorView>;
  readonly notes: readonly Note[];
  /** What else of the file is of use. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Why its tensors are no model's. */
  readonly problem?: UserError;
}
