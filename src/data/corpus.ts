import { isUtf8 } from 'node:buffer';
import { extname } from 'node:path';
import { UserError } from '../errors';
import { isRecord } from './jsonFiles';
import { lineReader, type LineRange } from './lines';
import {
  isFolder,
  listFolder,
  readBytes,
  singleFile,
  type ReadBytes,
  type SourceFile,
} from './sourceFiles';

const textExtensions = ['.txt', '.md', '.jsonl'];

/** How much of a file, and of how many files, is looked at before a run starts. */
const checkedBytes = 64 * 1024;
const checkedFiles = 256;

/** JSON lines are all parsed once before a run starts, up to this many bytes. */
const checkedRecordBytes = 64 * 1024 * 1024;

/** A line of a corpus; start and end are bytes of the concatenation of all its files. */
export interface CorpusLine extends LineRange {
  /** What there is to tokenise, without the line feed. */
  text(): Promise<string>;
}

/** Text files as one range of bytes, of which any line can be had without reading the rest. */
export interface Corpus {
  readonly files: readonly SourceFile[];
  readonly bytes: number;
  /** The line that holds a byte, which lies in 0…bytes − 1. */
  lineAt(offset: number): Promise<CorpusLine>;
  clear(): void;
}

async function textFiles(path: string): Promise<SourceFile[]> {
  if (!(await isFolder(path))) return [await singleFile(path)];
  const { files, others } = await listFolder(path, textExtensions);
  if (files.length === 0) {
    const found = others.length > 0 ? `, only ${others.length} others (${others[0]!.name}, …)` : '';
    throw new UserError(
      `The folder ${path} holds no .txt, .md or .jsonl file${found}.`,
      'Give a text file, or a folder with text in it; symbolic links in a folder are not followed.',
    );
  }
  return files;
}

/** Refuses what is no text before hours are spent on it. */
async function checkText(file: SourceFile, read: ReadBytes): Promise<void> {
  const bytes = await read(file.path, 0, Math.min(file.bytes, checkedBytes));
  if (bytes.includes(0)) {
    throw new UserError(
      `${file.name} is not text: it contains zero bytes.`,
      'Give plain UTF-8 text; unpack archives first, and convert UTF-16 or binary formats.',
    );
  }
  // The last character may be cut where the sample ends.
  const whole = bytes.length === file.bytes;
  const valid = [0, 1, 2, 3].some(
    cut => (cut === 0 || !whole) && isUtf8(bytes.subarray(0, Math.max(0, bytes.length - cut))),
  );
  if (!valid) {
    throw new UserError(
      `${file.name} is not UTF-8 text.`,
      'Convert it, for example with: iconv -f ISO-8859-1 -t UTF-8.',
    );
  }
}

/** Counts lines up to a byte, only to name one in an error. */
async function lineNumber(file: SourceFile, offset: number, read: ReadBytes): Promise<number> {
  let number = 1;
  for (let position = 0; position < offset; position += checkedBytes) {
    const bytes = await read(file.path, position, Math.min(checkedBytes, offset - position));
    for (const byte of bytes) if (byte === 10) number++;
  }
  return number;
}

/** The text of one JSON record: its field `text`, else `content`. */
function recordText(line: string, fail: (problem: string) => Promise<UserError>): Promise<string> {
  const reject = async (problem: string): Promise<never> => {
    throw await fail(problem);
  };
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    return reject(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const text = isRecord(record) ? (record['text'] ?? record['content']) : undefined;
  if (typeof text === 'string') return Promise.resolve(text);
  return reject('has no field "text" or "content" that holds a text.');
}

/**
 * Opens a text file, or every .txt, .md and .jsonl of a folder, sorted by name.
 * @throws UserError when there is nothing, or nothing that is text
 */
export async function openCorpus(path: string, read: ReadBytes = readBytes): Promise<Corpus> {
  const files = (await textFiles(path)).filter(({ bytes }) => bytes > 0);
  const starts: number[] = [];
  let total = 0;
  for (const { bytes } of files) {
    starts.push(total);
    total += bytes;
  }
  if (total === 0) {
    throw new UserError(`${path} is empty.`, 'Give a text file or folder with text in it.');
  }
  const lines = lineReader(read);

  function fileAt(offset: number): number {
    let low = 0;
    let high = files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async function lineAt(offset: number): Promise<CorpusLine> {
    const index = fileAt(offset);
    const file = files[index]!;
    const start = starts[index]!;
    const isJson = extname(file.name).toLowerCase() === '.jsonl';
    const range = await lines.lineAt(file, offset - start, isJson);
    return {
      start: start + range.start,
      end: start + range.end,
      complete: range.complete,
      async text() {
        const line = (await lines.text(file, range)).replace(/\r?\n$/, '');
        if (!isJson) return line;
        if (line.trim() === '') return '';
        return recordText(line, async problem => {
          const number = await lineNumber(file, range.start, read);
          return new UserError(
            `${file.name}, line ${number}: ${problem}`,
            'Each line of a .jsonl file is one JSON object with its text in "text" or "content".',
          );
        });
      },
    };
  }

  for (const file of files.slice(0, checkedFiles)) await checkText(file, read);
  let checked = 0;
  for (const [index, file] of files.entries()) {
    if (extname(file.name).toLowerCase() !== '.jsonl') continue;
    const [start, end] = [starts[index]!, starts[index]! + file.bytes];
    for (let position = start; position < end && checked < checkedRecordBytes;) {
      const line = await lineAt(position);
      await line.text();
      checked += line.end - position;
      position = line.end;
    }
  }
  return { files, bytes: total, lineAt, clear: () => lines.clear() };
}
