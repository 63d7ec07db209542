import { Readable } from 'node:stream';
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';

import { CorruptFileError } from '../../errors';
import type { Layout, ReadBytes } from './layout';

/** Bytes of a file that are deflated. */
export interface Deflated {
  /** What messages call what is deflated. */
  readonly what: string;
  readonly begin: number;
  readonly deflatedBytes: number;
  /** What they inflate to. */
  readonly bytes: number;
  readonly crc32: number;
}

/** Deflated bytes that are read at a time. */
const CHUNK = 1 << 16;

/**
 * Reads of what deflated bytes hold; each inflates all that lies before it, a little at a time. One that
 * comes to the end checks the sum of it all.
 */
export function inflating(deflated: Deflated, readBytes: ReadBytes): ReadBytes {
  return async (begin, end) => {
    const bytes = new Uint8Array(end - begin);
    let position = 0;
    let sum = 0;
    if (end <= begin) return bytes;
    const stream = createInflateRaw();
    try {
      for await (const part of inflate(stream, deflated, readBytes)) {
        const first = Math.max(begin, position);
        const last = Math.min(end, position + part.length);
        if (first < last) {
          bytes.set(part.subarray(first - position, last - position), first - begin);
        }
        position += part.length;
        sum = crc32(part, sum);
        if (position < end) continue;
        const isOther = position > deflated.bytes || sum !== deflated.crc32;
        if (end === deflated.bytes && isOther) throw damaged(deflated);
        return bytes;
      }
    } catch (error) {
      if (!isZlibError(error)) throw error;
      throw damaged(deflated, error);
    } finally {
      stream.destroy();
    }
    throw damaged(deflated);
  };
}

async function* inflate(
  stream: InflateRaw,
  { begin, deflatedBytes }: Deflated,
  readBytes: ReadBytes,
): AsyncGenerator<Buffer> {
  const end = begin + deflatedBytes;
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (let at = begin; at < end; at += CHUNK) yield readBytes(at, Math.min(end, at + CHUNK));
  }
  const source = Readable.from(parts(), { highWaterMark: 1 });
  source.on('error', error => stream.destroy(error));
  source.pipe(stream);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
  }
}

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('Z_');

const damaged = ({ what }: Deflated, cause?: unknown): CorruptFileError =>
  new CorruptFileError(
    `${what} is damaged: it does not inflate to the bytes that it should hold.`,
    'Copy or download the file again.',
    { cause },
  );

/** A layout of what deflated bytes hold. */
export function inflated(deflated: Deflated, layout: Layout): Layout {
  return {
    read: (readBytes, firstElement, count) =>
      layout.read(inflating(deflated, readBytes), firstElement, count),
  };
}
