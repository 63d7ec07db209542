import { createHash } from 'node:crypto';
import { basename } from 'node:path';

import { CorruptFileError } from '../errors';
import { explainReadError, identify, isSameFile, openRegular } from '../files';
import type { SeenFile } from './openFiles';

/** Bytes read at a time: large enough to be fast, small beside any model. */
const CHUNK_BYTES = 1 << 20;

/** Files by what messages and receipts call them. */
type SeenFiles = ReadonlyMap<string, Pick<SeenFile, 'path' | 'identity'>>;

/**
 * Identifies the files of a checkpoint in receipts: SHA-256, as 64 hexadecimal digits, over each
 * file's base name and size, ended by NUL, and contents, in the order given. Folders do not matter.
 * @throws UserError when a file cannot be read, CorruptFileError when it is no longer what was seen
 */
export async function sha256OfFiles(files: SeenFiles): Promise<string> {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (const [file, seen] of files) {
    try {
      const { handle, identity } = await openRegular(seen.path);
      try {
        if (!isSameFile(identity, seen.identity)) throw changed(file);
        hash.update(`${basename(file)}\0${identity.size}\0`);
        for (;;) {
          const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, null);
          if (bytesRead === 0) break;
          hash.update(chunk.subarray(0, bytesRead));
        }
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw explainReadError(error, file);
    }
  }
  return hash.digest('hex');
}

/**
 * Makes sure that files still hold what they held when they were hashed. Their contents are read again
 * only where the system tells of a change to a file or its name.
 * @throws CorruptFileError that names a file that holds something else or is gone
 */
export async function requireUnchanged(files: SeenFiles, sha256: string): Promise<void> {
  const now = new Map<string, Pick<SeenFile, 'path' | 'identity'>>();
  const suspects: string[] = [];
  for (const [file, seen] of files) {
    const identity = await identify(file);
    if (identity === undefined) throw changed(file);
    now.set(file, { path: file, identity });
    const same = isSameFile(identity, seen.identity) && identity.changed === seen.identity.changed;
    if (!same) suspects.push(file);
  }
  const [suspect] = suspects;
  if (suspect === undefined || (await sha256OfFiles(now)) === sha256) return;
  throw changed(suspect);
}

const changed = (file: string): CorruptFileError =>
  new CorruptFileError(
    `${file} was changed or replaced while it was in use.`,
    'Leave a checkpoint as it is during a run, then start again.',
  );
