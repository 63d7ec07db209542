import { isUtf8 } from 'node:buffer';
import { UserError } from '../errors';
import { boundedCache } from './boundedCache';
import type { ReadBytes, SourceFile } from './sourceFiles';
import { largestRecord } from './textCheck';

/** Files are read, and overlong lines cut, in blocks of this many bytes. */
export const blockBytes = 64 * 1024;

/** 8 MiB of blocks stay in memory. */
const cachedBlocks = 128;

const lineFeed = 10;

/** A line as a range of bytes of its file: [start, end), the line feed included. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
  /** False where an overlong line was cut: what follows belongs to the same line. */
  readonly complete: boolean;
}

/**
 * Finds lines in files of any size from any byte, reading only the blocks around it.
 *
 * Where lines begin and end depends on the content alone, not on where the search began: after
 * every line feed, and at every block that follows a block without a line feed, moved past the
 * bytes of a character that the block's edge would split. So a cut line is 64 to 128 KiB long.
 */
export interface LineReader {
  /** The line that holds a byte; `whole` lines (JSON records) are never cut. */
  lineAt(file: SourceFile, offset: number, whole: boolean): Promise<LineRange>;
  text(file: SourceFile, range: LineRange): Promise<string>;
  clear(): void;
}

export function lineReader(read: ReadBytes): LineReader {
  const cache = boundedCache<Buffer>(cachedBlocks * blockBytes, block => block.length);
  const numbers = new Map<string, number>();

  async function block(file: SourceFile, index: number): Promise<Buffer> {
    let number = numbers.get(file.path);
    if (number === undefined) numbers.set(file.path, (number = numbers.size));
    const key = number * 2 ** 32 + index;
    const cached = cache.get(key);
    if (cached) return cached;
    const position = index * blockBytes;
    const length = Math.min(blockBytes, file.bytes - position);
    const bytes = await read(file.path, position, length);
    if (bytes.length !== length) {
      throw new UserError(
        `${file.name} became shorter while it was read.`,
        'Leave the data as it is during a run, or train on a copy.',
      );
    }
    cache.set(key, bytes);
    return bytes;
  }

  /** Where block `index` starts a line, given that the block before it has no line feed. */
  async function cutPosition(file: SourceFile, index: number): Promise<number> {
    const bytes = await block(file, index);
    let skipped = 0;
    while (skipped < 3 && skipped < bytes.length && (bytes[skipped]! & 0xc0) === 0x80) skipped++;
    return index * blockBytes + skipped;
  }

  async function startOfLine(file: SourceFile, offset: number, whole: boolean): Promise<number> {
    let index = Math.floor(offset / blockBytes);
    // A line feed ends its own line, so only those before the byte count.
    let from = offset - index * blockBytes - 1;
    for (;;) {
      const feed = from < 0 ? -1 : (await block(file, index)).lastIndexOf(lineFeed, from);
      if (feed >= 0) return index * blockBytes + feed + 1;
      if (index === 0) return 0;
      if (whole) {
        if (offset - index * blockBytes > largestRecord) throw recordTooLong(file);
      } else if (!(await block(file, index - 1)).includes(lineFeed)) {
        const cut = await cutPosition(file, index);
        if (cut <= offset) return cut;
      }
      index--;
      from = blockBytes - 1;
    }
  }

  async function endOfLine(
    file: SourceFile,
    start: number,
    whole: boolean,
  ): Promise<{ end: number; complete: boolean }> {
    let index = Math.floor(start / blockBytes);
    let from = start - index * blockBytes;
    for (;;) {
      const bytes = await block(file, index);
      const feed = bytes.indexOf(lineFeed, from);
      if (feed >= 0) return { end: index * blockBytes + feed + 1, complete: true };
      if ((index + 1) * blockBytes >= file.bytes) return { end: file.bytes, complete: true };
      if (whole) {
        if ((index + 1) * blockBytes - start > largestRecord) throw recordTooLong(file);
      } else if (!bytes.includes(lineFeed)) {
        const cut = await cutPosition(file, index + 1);
        return { end: cut, complete: cut >= file.bytes };
      }
      index++;
      from = 0;
    }
  }

  return {
    async lineAt(file, offset, whole) {
      const start = await startOfLine(file, offset, whole);
      return { start, ...(await endOfLine(file, start, whole)) };
    },
    async text(file, { start, end }) {
      const parts: Buffer[] = [];
      for (let position = start; position < end;) {
        const index = Math.floor(position / blockBytes);
        const next = Math.min(end, (index + 1) * blockBytes);
        const bytes = await block(file, index);
        parts.push(bytes.subarray(position - index * blockBytes, next - index * blockBytes));
        position = next;
      }
      const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      // All of it was checked before the run, so this is another file by now.
      if (!isUtf8(bytes)) {
        throw new UserError(
          `${file.name} is not UTF-8 text any more between byte ${start} and byte ${end}.`,
          'Leave the data as it is during a run, or train on a copy.',
        );
      }
      const text = bytes.toString('utf8');
      return start === 0 && text.startsWith('\uFEFF') ? text.slice(1) : text;
    },
    clear() {
      cache.clear();
    },
  };
}

function recordTooLong(file: SourceFile): UserError {
  return new UserError(
    `${file.name} has a line of more than ${largestRecord / 1024 / 1024} MiB.`,
    'JSON lines hold one JSON object a line; split longer texts into several records.',
  );
}
