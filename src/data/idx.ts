import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { CorruptFileError, UserError } from '../errors';
import { unreadable } from '../files';
import { readBytes } from './sourceFiles';

/** Bytes of an IDX file by its dimensions, outermost first, as in MNIST's files. */
export interface IdxArray {
  readonly dimensions: readonly number[];
  readonly values: Uint8Array;
}

/** The most that an IDX file may unpack to; it is held in memory whole. */
const largestIdxBytes = 1024 * 1024 * 1024;

/** Deflate cannot pack tighter than this, so a header that promises more is a lie. */
const tightestPacking = 1032;

const unsignedByte = 0x08;
const gzipMagic = 0x1f8b;

/** Browsers unpack files on the way and leave the name as it was, so the first bytes decide. */
async function isPacked(path: string): Promise<boolean> {
  const start = await readBytes(path, 0, 2);
  return start.length === 2 && start.readUInt16BE(0) === gzipMagic;
}

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped (whatever its name says), whose header must agree with
 * its length: http://yann.lecun.com/exdb/mnist/ describes the format.
 * @throws CorruptFileError when header and contents disagree; UserError when it is too large or unreadable
 */
export async function readIdx(path: string, dimensionCount: number): Promise<IdxArray> {
  const name = basename(path);
  const packed = await isPacked(path);
  const corrupt = (problem: string, cause?: unknown): CorruptFileError =>
    new CorruptFileError(`${name} ${problem}`, 'Download the file again.', { cause });
  const headerBytes = 4 + 4 * dimensionCount;
  const header = Buffer.alloc(headerBytes);
  let headerFilled = 0;
  let dimensions: number[] = [];
  let values: Uint8Array | undefined;
  let filled = 0;
  const fileBytes = (await stat(path)).size;

  /** Checks what the header promises before any memory is given to it. */
  function parseHeader(): Uint8Array {
    const magic = header.readUInt32BE(0);
    if (magic !== (unsignedByte << 8) + dimensionCount) {
      throw corrupt(
        `is not an IDX file of bytes in ${dimensionCount} dimensions: it starts with ${header.toString('hex', 0, 4)}.`,
      );
    }
    dimensions = Array.from({ length: dimensionCount }, (_, index) =>
      header.readUInt32BE(4 + 4 * index),
    );
    const promised = dimensions.reduce((product, size) => product * size, 1);
    const shape = dimensions.join(' × ');
    if (promised > largestIdxBytes) {
      throw new UserError(
        `${name} holds ${shape} bytes, more than the ${largestIdxBytes} that are kept in memory.`,
        'Turn the images into files, in one folder a class.',
      );
    }
    const possible = packed ? fileBytes * tightestPacking : fileBytes - headerBytes;
    if (packed ? promised > possible : promised !== possible) {
      throw corrupt(`promises ${shape} bytes, but its ${fileBytes} bytes do not hold that.`);
    }
    return new Uint8Array(promised);
  }

  const file = createReadStream(path);
  const stream = packed ? file.pipe(createGunzip()) : file;
  file.on('error', error => stream.destroy(error));
  try {
    for await (const piece of stream) {
      let chunk = piece as Buffer;
      if (values === undefined) {
        const taken = chunk.copy(header, headerFilled);
        headerFilled += taken;
        chunk = chunk.subarray(taken);
        if (headerFilled < headerBytes) continue;
        values = parseHeader();
      }
      if (filled + chunk.length > values.length) throw corrupt('goes on after its last value.');
      values.set(chunk, filled);
      filled += chunk.length;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code.startsWith('Z_')) throw corrupt(`cannot be unpacked (${code}).`, error);
    throw unreadable(path, error);
  } finally {
    file.destroy();
    stream.destroy();
  }
  if (values === undefined) throw corrupt('ends within its header.');
  if (filled < values.length) {
    throw corrupt(`ends after ${filled} of its ${values.length} values.`);
  }
  return { dimensions, values };
}
