import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { hubPlaceOf } from '../../protocol/hubReference';

/**
 * Beside the checkpoint's folder, under a name that nothing has yet. The Hugging Face cache is shared with
 * other tools and takes no results: they go into another folder, by the model's name.
 * @param what what it will hold: "grown-6x96"
 */
export async function freeOutput(
  checkpointFile: string,
  what: string,
  taken: (path: string) => Promise<boolean>,
  home = homedir(),
): Promise<string> {
  const folder = dirname(checkpointFile);
  const onHub = hubPlaceOf(folder);
  const base = onHub
    ? join(home, `${basename(onHub.id)}-${what}`)
    : join(dirname(folder), `${basename(folder)}-${what}`);
  for (let number = 1; ; number++) {
    const path = number === 1 ? base : `${base}-${number}`;
    if (!(await taken(path))) return path;
  }
}
