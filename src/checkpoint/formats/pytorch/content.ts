import type { Note } from '../../../errors';
import type { PyValue } from './pickle/values';

/** What a file of torch holds, whatever its form. */
export interface Content {
  /** What torch.load would return, as a description. */
  readonly root: PyValue;
  /** The first bytes in the file of storages, by key; checked to lie in it whole. @throws CorruptFileError */
  begins(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, number>>;
  readonly notes: readonly Note[];
}
