import { CorruptFileError, UnsupportedError } from '../../../errors';

/** What is said of a file that is not what it should be, or holds what is not read. */
export interface Failures {
  /** @param what goes on where the file's name and a colon stand @throws CorruptFileError */
  corrupt(what: string, remedy?: string): never;
  /** @param what goes on where the file's name and a colon stand @throws UnsupportedError */
  unsupported(what: string, remedy: string): never;
  /** The same error, for files whose tensors can be listed all the same. */
  unsupportedError(what: string, remedy: string): UnsupportedError;
}

const COPY_AGAIN =
  'Copy or download the file again; if that does not help, save the model anew with torch.save.';

/** The failures of one file. */
export function failuresOf(file: string): Failures {
  const unsupportedError = (what: string, remedy: string) =>
    new UnsupportedError(`${file}: ${what}.`, remedy);
  return {
    corrupt(what, remedy = COPY_AGAIN) {
      throw new CorruptFileError(`${file}: ${what}.`, remedy);
    },
    unsupported(what, remedy) {
      throw unsupportedError(what, remedy);
    },
    unsupportedError,
  };
}
