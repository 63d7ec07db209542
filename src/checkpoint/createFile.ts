import { open, type FileHandle } from 'node:fs/promises';

import { explainWriteError } from './writeErrors';

/** Most bytes handed to the system in one call. */
const WRITE_BYTES = 1 << 28;

/** Takes bytes to the end of the file that is being written. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/**
 * Creates a file that must not exist, has it filled, and on the disk before it is closed.
 * @param created gets its path as soon as it is there
 * @throws UserError when the disk refuses
 */
export async function createFile(
  file: string,
  created: string[],
  fill: (write: Write) => Promise<void>,
): Promise<void> {
  // Only failures of the file itself are the disk's; those of whoever supplies the values are not.
  const explained = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw explainWriteError(error, file);
    }
  };
  const handle = await explained(open(file, 'wx'));
  created.push(file);
  try {
    await fill(bytes => explained(writeFully(handle, bytes)));
    await explained(handle.sync());
  } finally {
    await explained(handle.close());
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const length = Math.min(WRITE_BYTES, bytes.byteLength - done);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}
