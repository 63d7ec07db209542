import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';

import { explainReadError } from './openFiles';

/** Bytes read at a time: large enough to be fast, small beside any model. */
const CHUNK_BYTES = 1 << 20;

/**
 * Identifies the files of a checkpoint in receipts: SHA-256, as 64 hexadecimal digits, over each
 * file's base name and size, ended by NUL, and contents, in the order given. Folders do not matter.
 * @throws UserError when a file cannot be read
 */
export async function sha256OfFiles(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (const file of files) {
    try {
      const handle = await open(file, 'r');
      try {
        const { size } = await handle.stat();
        hash.update(`${basename(file)}\0${size}\0`);
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
