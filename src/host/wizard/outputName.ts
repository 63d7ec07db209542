import { basename, dirname, join } from 'node:path';

/**
 * Beside the checkpoint's folder, under a name that nothing has yet.
 * @param what what it will hold: "grown-6x96"
 */
export async function freeOutput(
  checkpointFile: string,
  what: string,
  taken: (path: string) => Promise<boolean>,
): Promise<string> {
  const folder = dirname(checkpointFile);
  const base = join(dirname(folder), `${basename(folder)}-${what}`);
  for (let number = 1; ; number++) {
    const path = number === 1 ? base : `${base}-${number}`;
    if (!(await taken(path))) return path;
  }
}
