import { UserError } from '../errors';

/** What each failure of the system to write means to a person: the end of a sentence, a remedy. */
const meanings: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['ENOSPC', ['the disk is full', 'Free some space or choose a folder on another disk.']],
  ['EDQUOT', ['your disk quota is used up', 'Free some space or choose another disk.']],
  ['EACCES', ['you may not write there', 'Choose another folder or change its permissions.']],
  ['EPERM', ['the system does not permit it', 'Choose another folder or change its permissions.']],
  ['EROFS', ['the disk is read-only', 'Choose a folder on another disk.']],
  ['ENAMETOOLONG', ['the name is too long', 'Choose a shorter name.']],
  ['ENOTDIR', ['a part of the path is a file', 'Choose another folder.']],
  ['EEXIST', ['something of that name exists', 'Choose another folder.']],
  ['ENOENT', ['the folder cannot be created or has been removed', 'Choose another folder.']],
  ['EFBIG', ['the disk allows no file of that size', 'Choose another disk or smaller shards.']],
  ['EBUSY', ['another program uses it', 'Close that program or choose another folder.']],
  ['EXDEV', ['it is mounted from another disk', 'Choose a folder inside it.']],
  ['EIO', ['the disk reports an error', 'Check the disk or choose another one.']],
]);

/**
 * A failure to write as a person should see it: a UserError that names the path and what to do for
 * a full, read-only, protected or broken disk. Anything else, a UserError too, passes unchanged.
 */
export function explainWriteError(error: unknown, path: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const meaning = meanings.get((error as NodeJS.ErrnoException).code ?? '');
  if (meaning === undefined) return error;
  return new UserError(`${path} cannot be written: ${meaning[0]}.`, meaning[1], { cause: error });
}
