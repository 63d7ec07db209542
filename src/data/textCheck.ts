import { isAscii } from 'node:buffer';
import { UserError } from '../errors';
import { BadRecord, parseRecord, type TextRecord } from './records';
import type { ReadBytes, SourceFile } from './sourceFiles';
import { conversion, encodingWithZeros, type TextFormat } from './textFormat';
import { firstBadByte, type BadByte } from './utf8';

/** A whole file passes through memory in pieces of this many bytes. */
const pieceBytes = 1024 * 1024;

/** A JSON record has to end within this many bytes. */
export const largestRecord = 64 * 1024 * 1024;

/** Field names that are remembered, of records that have too many. */
const mostFields = 100;

/** What one pass over a file found that stops nothing. */
export interface TextFindings {
  readonly lines: number;
  /** Lines with more than white space in them. */
  readonly filled: number;
  /** Lines of plain text that look like JSON objects. */
  readonly objects: number;
  /** Replacement characters, the trace of an earlier conversion that lost letters. */
  readonly replaced: number;
  /** Carriage returns in a file that has no line feed. */
  readonly lonelyReturns: number;
  /** Number of records by the field their text is in. */
  readonly texts: ReadonlyMap<string, number>;
  /** Records whose text is empty. */
  readonly empty: number;
  /** Other fields of records. */
  readonly otherFields: ReadonlySet<string>;
}

const replacement = Buffer.from('\uFFFD');
const lineFeed = 10;
const carriageReturn = 13;

/** How often a stretch of bytes occurs. */
function occurrences(bytes: Buffer, what: Buffer | number): number {
  let count = 0;
  const step = typeof what === 'number' ? 1 : what.length;
  for (let at = bytes.indexOf(what); at >= 0; at = bytes.indexOf(what, at + step)) count++;
  return count;
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

/** Where something stands, for a sentence. */
const place = (line: number, byte: number): string =>
  `line ${line.toLocaleString('en')}, byte ${byte.toLocaleString('en')}`;

/** What is wrong with bytes that are no UTF-8. */
function notUtf8(
  file: SourceFile,
  bad: { line: number; byte: number; value: number; cut: boolean; others: boolean },
): UserError {
  const where = place(bad.line, bad.byte);
  if (bad.cut && bad.others) {
    return new UserError(
      `${file.name} is cut off: it ends in the midst of a character (${where}).`,
      'Get the whole file again, or remove the bytes from there on.',
    );
  }
  if (bad.others) {
    return new UserError(
      `${file.name} is not UTF-8 throughout: ${hex(bad.value)} in ${where}, though characters before it are.`,
      `Repair that line, which probably comes from a file in another encoding; iconv -f UTF-8 -t UTF-8 -c "${file.name}" > converted.txt leaves such bytes out.`,
    );
  }
  return new UserError(
    `${file.name} is not UTF-8 text: ${hex(bad.value)} in ${where}.`,
    `Convert it, for example with: ${conversion(file, 'WINDOWS-1252')}.${bad.cut ? ' If it was UTF-8, it is cut off there.' : ''}`,
  );
}

/** What is wrong with a file that has zero bytes. */
function zeroByte(file: SourceFile, head: Buffer, where: string): UserError {
  const encoding = encodingWithZeros(head);
  if (encoding !== undefined) {
    return new UserError(
      `${file.name} is not UTF-8 text: it looks like ${encoding} (a zero byte in ${where}).`,
      `Convert it: ${conversion(file, encoding)}.`,
    );
  }
  return new UserError(
    `${file.name} is not text: it contains zero bytes (${where}).`,
    'Give plain UTF-8 text: unpack archives, convert binary formats, and remove stray zero bytes with: tr -d "\\000".',
  );
}

/**
 * Reads a whole file once, piece by piece, before hours are spent on it: every byte must be UTF-8, and
 * every record must parse.
 * @param signal stops it between pieces
 * @param parse reads a record of a file of JSON lines, given also the byte its line starts at
 * @throws UserError naming the file, the line and the byte
 */
export async function checkTextFile(
  file: SourceFile,
  format: TextFormat,
  read: ReadBytes,
  signal?: AbortSignal,
  parse: (json: string, start: number) => TextRecord = parseRecord,
): Promise<TextFindings> {
  const texts = new Map<string, number>();
  const otherFields = new Set<string>();
  let [lines, filled, objects, replaced, returns, empty] = [0, 0, 0, 0, 0, 0];
  /** Beginning of a line that a piece ended in. */
  let rest: Buffer[] = [];
  let restBytes = 0;
  /** Bytes of a character that a piece ended in. */
  let carried = Buffer.alloc(0);
  let hasOthers = false;

  function takeRecord(line: Buffer, number: number, start: number): void {
    const text = line.toString('utf8');
    const json = number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
    if (json.trim() === '') return;
    filled++;
    try {
      const found = parse(json, start);
      texts.set(found.field, (texts.get(found.field) ?? 0) + 1);
      if (found.text === '') empty++;
      for (const field of Object.keys(found.record)) {
        if (field !== found.field && otherFields.size < mostFields) otherFields.add(field);
      }
    } catch (error) {
      if (!(error instanceof BadRecord)) throw error;
      throw new UserError(`${file.name}, line ${number}: ${error.message}`, error.remedy, {
        cause: error,
      });
    }
  }

  function takeLine(line: Buffer, start: number): void {
    lines++;
    if (format === 'records') {
      takeRecord(line, lines, start);
      return;
    }
    if (!isBlank(line)) filled++;
    if (looksLikeObject(line)) objects++;
  }

  function takeLines(piece: Buffer, position: number): void {
    let from = 0;
    for (let feed = piece.indexOf(lineFeed); feed >= 0; feed = piece.indexOf(lineFeed, from)) {
      const line = piece.subarray(from, feed);
      takeLine(
        rest.length > 0 ? Buffer.concat([...rest, line]) : line,
        position + from - restBytes,
      );
      if (rest.length > 0) [rest, restBytes] = [[], 0];
      from = feed + 1;
    }
    if (from === piece.length) return;
    // Of a line of plain text, its beginning tells enough.
    if (format === 'lines' && restBytes > pieceBytes) return;
    rest.push(Buffer.from(piece.subarray(from)));
    restBytes += piece.length - from;
    if (format === 'records' && restBytes > largestRecord) {
      throw new UserError(
        `${file.name}, line ${lines + 1}: is longer than ${largestRecord / 1024 / 1024} MiB (up to byte ${position + piece.length}).`,
        'JSON lines hold one JSON object a line; split longer texts into several records.',
      );
    }
  }

  function checkEncoding(piece: Buffer, position: number, isLast: boolean): void {
    const bytes = carried.length > 0 ? Buffer.concat([carried, piece]) : piece;
    const bad = firstBadByte(bytes);
    const start = position - carried.length;
    if (bad && (isLast || !bad.cut)) throw notUtf8(file, describeBad(bytes, bad, start));
    carried = bad ? Buffer.from(bytes.subarray(bad.at)) : Buffer.alloc(0);
    hasOthers ||= !isAscii(piece);
  }

  /** Lines of the piece are counted only when one has to be named. */
  function describeBad(bytes: Buffer, { at, cut }: BadByte, start: number) {
    const before = bytes.subarray(0, at);
    return {
      line: lines + 1 + occurrences(before, lineFeed),
      byte: start + at,
      value: bytes[at]!,
      cut,
      others: hasOthers || !isAscii(before),
    };
  }

  let head: Buffer | undefined;
  for (let position = 0; position < file.bytes; position += pieceBytes) {
    signal?.throwIfAborted();
    const piece = await read(file.path, position, Math.min(pieceBytes, file.bytes - position));
    head ??= piece.subarray(0, 64 * 1024);
    const zero = piece.indexOf(0);
    if (zero >= 0) {
      const line = lines + 1 + occurrences(piece.subarray(0, zero), lineFeed);
      throw zeroByte(file, head, place(line, position + zero));
    }
    checkEncoding(piece, position, position + piece.length >= file.bytes);
    replaced += occurrences(piece, replacement);
    takeLines(piece, position);
    if (lines === 0) returns += occurrences(piece, carriageReturn);
  }
  if (restBytes > 0) takeLine(Buffer.concat(rest), file.bytes - restBytes);
  const lonelyReturns = lines <= 1 ? Math.max(0, returns - 1) : 0;
  return { lines, filled, objects, replaced, lonelyReturns, texts, empty, otherFields };
}

const isBlank = (line: Buffer): boolean => {
  for (const byte of line) if (byte !== 32 && byte !== 9 && byte !== carriageReturn) return false;
  return true;
};

/** Whether a line of plain text looks like a JSON object, also with a comma behind it. */
function looksLikeObject(line: Buffer): boolean {
  if (line[0] !== 0x7b) return false;
  return /^\{\s*".*\},?\s*$/s.test(line.toString('utf8'));
}
