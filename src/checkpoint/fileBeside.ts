import { dirname, join } from 'node:path';

import { CorruptFileError } from '../errors';
import { openRegular, ownPath } from '../files';
import { quoted, shardNameProblem } from './names';
import type { SeenFile } from './openFiles';

/** A file of the folder of another one that names it, as it is now. @throws UserError */
export async function seeBeside(
  file: string,
  name: string,
): Promise<{ readonly file: string; readonly seen: SeenFile }> {
  const problem = shardNameProblem(name);
  if (problem !== undefined) {
    throw new CorruptFileError(
      `${file}: the name ${quoted(name)} of a file beside it ${problem}.`,
      'Download it again, or save the model anew.',
    );
  }
  const folder = dirname(file);
  const path = await ownPath(folder, name);
  const { handle, identity } = await openRegular(path);
  await handle.close();
  return { file: join(folder, name), seen: { path, identity } };
}
