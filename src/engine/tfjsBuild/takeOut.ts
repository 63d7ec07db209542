import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, statfs, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CorruptFileError, UserError } from '../../errors';
import { formatBytes } from '../../format';
import { firstLine } from '../firstLine';
import { makeRoom } from '../folder';
import { libraryNames } from './places';
import type { TensorFlow, TensorFlowFile } from './tensorFlow';

/** Bytes of a header at most. */
const mostHeader = 4e6;
/** Bytes of a library at most: those with CUDA have some 2 GB. */
const mostLibrary = 16e9;
/** Bytes from which on it is told how far a copy is. */
const longFile = 1e8;
/** Bytes that TensorFlow.js's own packages and the build take beside the library. */
const besides = 400e6;

/**
 * Checks sizes before anything is written: no file is larger than any of its kind, and the disk has
 * room. Throws UserError.
 */
export async function requireRoom(
  { name, files }: Pick<TensorFlow, 'name' | 'files'>,
  folder: string,
): Promise<void> {
  const tooLarge = files.find(
    ({ place, bytes }) => bytes > (place.startsWith('lib/') ? mostLibrary : mostHeader),
  );
  if (tooLarge) {
    throw new CorruptFileError(
      `${name} says that ${basename(tooLarge.place)} has ${formatBytes(tooLarge.bytes)}, more than any such file.`,
      'Check that it is TensorFlow, from where you trust it.',
    );
  }
  const needed = files.reduce((sum, { bytes }) => sum + bytes, besides);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new UserError(
    `TensorFlow takes ${formatBytes(needed)} on the disk of ${folder}, which has ${formatBytes(bavail * bsize)}.`,
    makeRoom,
  );
}

/** Where TensorFlow's files go, and who is told. */
export interface TakingOut {
  /** The addon's folder of dependencies. */
  readonly to: string;
  readonly platform: NodeJS.Platform;
  /** The library with the C interface, by its name. */
  readonly library: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/**
 * Copies the library and its headers, each checked against its SHA-256 where one is listed. Only files
 * whose places are known are written, and none over another.
 * @throws CorruptFileError when a file is not what the list says
 */
export async function takeOut(files: readonly TensorFlowFile[], out: TakingOut): Promise<void> {
  const { to, platform, library, signal, onLine } = out;
  for (const file of files) {
    const path = join(to, ...file.place.split('/'));
    await mkdir(dirname(path), { recursive: true });
    try {
      await copy(file, path, signal, onLine);
    } catch (error) {
      throw signal.aborted ? error : explainCopy(error, basename(path));
    }
  }
  for (const [name, target] of libraryNames(platform).links) {
    const file = target === 'main' ? library : target;
    if (name !== file) await symlink(file, join(to, 'lib', name));
  }
}

function explainCopy(error: unknown, name: string): unknown {
  if (error instanceof UserError) return error;
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new UserError(`The disk was full before ${name} was written.`, makeRoom);
  }
  return new UserError(
    `${name} could not be taken from TensorFlow: ${firstLine(error)}.`,
    'Check the disk, and download the file again if it is damaged.',
    { cause: error },
  );
}

async function copy(
  file: TensorFlowFile,
  path: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const name = basename(path);
  const hash = createHash('sha256');
  let done = 0;
  let told = 0;
  await pipeline(
    await file.open(),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        done += chunk.length;
        const tenths = Math.floor((10 * done) / file.bytes);
        if (file.bytes > longFile && tenths > told) {
          told = tenths;
          onLine(`${name}: ${10 * tenths} % of ${formatBytes(file.bytes)}`);
        }
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx' }),
    { signal },
  );
  if (file.sha256 === undefined || file.sha256 === hash.digest('base64url')) return;
  throw new CorruptFileError(
    `${name} is not what the wheel's own list says (SHA-256).`,
    'The file is damaged or was changed: download it again from where you trust it.',
  );
}
