import { writeFile } from 'node:fs/promises';
import { explainWriteError } from '../../checkpoint/outputFolder';

/**
 * Writes a file that was not there and is on the disk when this ends.
 * @throws UserError when the disk refuses
 */
export async function writeNew(path: string, contents: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, contents, { flag: 'wx', flush: true });
  } catch (error) {
    throw explainWriteError(error, path);
  }
}
