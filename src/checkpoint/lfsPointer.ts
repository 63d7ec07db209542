import { dirname, join } from 'node:path';

import { readSmall } from '../files';
import { hubReferenceText, readHubReference } from '../protocol/hubReference';

/** Whether a file begins as those do that Git LFS has in place of others. */
export const isLfsPointer = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, 64)).toString('latin1').startsWith('version https://git-lfs');

/** Bytes of a repository's configuration at most. */
const largestConfiguration = 1 << 16;

/**
 * What helps where Git LFS left a pointer in place of weights: git itself, or the Hub where the folder
 * was plainly cloned from there. The configuration is read as text; git is not run.
 */
export async function lfsRemedy(file: string): Promise<string> {
  const folder = dirname(file);
  const pull = 'Run "git lfs pull" in that folder';
  const bytes = await readSmall(join(folder, '.git', 'config'), largestConfiguration);
  const address = /^\s*url\s*=\s*(\S+)\s*$/m.exec(bytes?.toString('utf8') ?? '')?.[1] ?? '';
  const [, id] =
    /^(?:https:\/\/(?:[^@/]*@)?huggingface\.co\/|git@hf\.co:)([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(
      address,
    ) ?? [];
  const reference = id === undefined ? undefined : readHubReference(id);
  if (!reference) return `${pull}.`;
  return `${pull}, or give ${hubReferenceText(reference)} in place of it.`;
}
