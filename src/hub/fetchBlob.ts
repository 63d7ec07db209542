import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { tryToLock, type OutputLock } from '../checkpoint/outputLock';
import { explainWriteError } from '../checkpoint/writeErrors';
import { CorruptFileError } from '../errors';
import { formatBytes } from '../format';
import { isThere } from './cache';
import { mayPass, mostTries, pause, request, type Asking } from './connection';
import { unreachable } from './refusals';
import type { RepositoryFile } from './repository';

/** A file to fetch. */
export interface BlobRequest {
  readonly file: RepositoryFile;
  readonly address: string;
  /** Where it lies when it is whole and what it should be. */
  readonly blob: string;
  /** Told how many of its bytes are there. */
  readonly arrived: (bytes: number) => void;
}

/** Bytes of a part that are hashed at a time. */
const CHUNK_BYTES = 1 << 20;

/**
 * Fetches a file into the cache: a part of it that is there is gone on with, and it gets its name when
 * its hash is right. Of two processes one fetches, the other waits. What has arrived stays when it stops.
 * @throws UserError, UnreachableError, CorruptFileError
 */
export async function fetchBlob(asking: Asking, wanted: BlobRequest): Promise<void> {
  const { blob } = wanted;
  try {
    await mkdir(dirname(blob), { recursive: true });
    const lock = await lockBlob(asking, blob);
    if (!lock) return;
    try {
      if (!(await isThere(blob))) await fetchLocked(asking, wanted);
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainWriteError(error, blob);
  }
}

/** Waits while another process fetches the file; undefined when it has. */
async function lockBlob(asking: Asking, blob: string): Promise<OutputLock | undefined> {
  for (let tries = 0; ; tries++) {
    const lock = await tryToLock(blob);
    if (lock) return lock;
    if (await isThere(blob)) return undefined;
    if (tries === 0) {
      asking.note({
        message: `Another process is fetching ${asking.subject}; waiting for it.`,
        remedy: 'Stop one of them if they should not share it.',
      });
    }
    await pause(asking, 1, 0.5);
  }
}

async function fetchLocked(asking: Asking, wanted: BlobRequest): Promise<void> {
  const { blob, file } = wanted;
  const part = `${blob}.incomplete`;
  const handle = await open(part, constants.O_RDWR | constants.O_CREAT, 0o644);
  let isRight: boolean;
  try {
    const begun = await begin(handle, file);
    isRight = await receive(asking, wanted, handle, begun);
    // What lay there may not have been a part of this file.
    if (!isRight && begun.at > 0) {
      await handle.truncate(0);
      isRight = await receive(asking, wanted, handle, { at: 0, hash: newHash(file) });
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (!isRight) {
    await rm(part, { force: true });
    throw new CorruptFileError(
      `${file.name} of ${asking.subject} is not what the Hub says it is: its ${file.hash.kind === 'git' ? 'git hash' : 'SHA-256'} is another.`,
      'It was removed. Try again; if it happens again, something on the way changes what is fetched.',
    );
  }
  await rename(part, blob);
}

interface Begun {
  readonly at: number;
  readonly hash: Hash;
}

function newHash({ hash, bytes }: RepositoryFile): Hash {
  if (hash.kind === 'sha256') return createHash('sha256');
  return createHash('sha1').update(`blob ${bytes}\0`);
}

/** How much of a file is there, with the hash of that. */
async function begin(handle: FileHandle, file: RepositoryFile): Promise<Begun> {
  const hash = newHash(file);
  const { size } = await handle.stat();
  if (size > file.bytes) {
    await handle.truncate(0);
    return { at: 0, hash };
  }
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, size - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return { at, hash };
}

/** Receives the rest of a file, over several connections where one is cut; tells whether its hash is right. */
async function receive(
  asking: Asking,
  wanted: BlobRequest,
  handle: FileHandle,
  begun: Begun,
): Promise<boolean> {
  const { file, address, arrived } = wanted;
  let { at, hash } = begun;
  let furthest = at;
  arrived(at);
  for (let tries = 1; at < file.bytes;) {
    const response = await request(
      asking,
      address,
      { 'accept-encoding': 'identity', ...(at > 0 && { range: `bytes=${at}-` }) },
      [416],
    );
    if (at > 0 && !continuesAt(response, at)) {
      // The whole file comes, or none: what is there does not count.
      at = 0;
      hash = newHash(file);
      await handle.truncate(0);
      if (response.status === 416) {
        await response.body?.cancel();
        if (++tries > mostTries) return false;
        continue;
      }
    }
    try {
      const body: AsyncIterable<Uint8Array> | null = response.body;
      for await (const chunk of body ?? []) {
        if (at + chunk.length > file.bytes) {
          throw new CorruptFileError(
            `${file.name} of ${asking.subject} has more than the ${formatBytes(file.bytes)} that the Hub says.`,
            'Try again later; if it stays so, download the model elsewhere and give its folder.',
          );
        }
        await writeAll(handle, chunk, at);
        hash.update(chunk);
        at += chunk.length;
        arrived(at);
      }
    } catch (error) {
      asking.signal.throwIfAborted();
      if (!isCut(error)) throw error;
      if (!mayPass(error)) throw unreachable(new URL(address).host, error);
    }
    if (at >= file.bytes) break;
    // A connection that ended too early: bytes that were never there count as a fresh start.
    tries = at > furthest ? 1 : tries + 1;
    furthest = Math.max(furthest, at);
    if (tries > mostTries) throw unreachable(new URL(address).host, undefined);
    await pause(asking, tries);
  }
  return hash.digest('hex') === file.hash.hex;
}

/** Whether an answer goes on where what is there ends. */
const continuesAt = ({ status, headers }: Response, at: number): boolean =>
  status === 206 && (headers.get('content-range') ?? '').startsWith(`bytes ${at}-`);

/** Whether the connection failed, and not the disk: fetch throws errors with a cause. */
const isCut = (error: unknown): boolean => error instanceof TypeError && error.cause !== undefined;

async function writeAll(handle: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await handle.write(
      chunk,
      written,
      chunk.length - written,
      at + written,
    );
    written += bytesWritten;
  }
}
