import { extname } from 'node:path';
import { CorruptFileError, UnsupportedError, UserError } from '../errors';
import { isRecord } from './jsonFiles';
import { firstBadByte } from './utf8';
import { listed } from './note';
import type { ReadBytes, SourceFile } from './sourceFiles';

/** How a file of text is read: line by line as it is, or each line as a JSON object. */
export type TextFormat = 'lines' | 'records';

/** Files that are nothing but JSON lines, whatever they begin with. */
export const recordExtensions = ['.jsonl', '.ndjson'];

/** What a file is recognised by: this much of its beginning. */
const headBytes = 64 * 1024;

/** A JSON document over several lines is recognised as a whole up to this size. */
const largestDocument = 32 * 1024 * 1024;

/** What files of other kinds begin with, what they are, and how to get text out of them. */
const containers: readonly (readonly [string, string, string])[] = [
  ['1f8b', 'gzip-compressed', 'Unpack it first: gunzip -k.'],
  ['28b52ffd', 'compressed by Zstandard', 'Unpack it first: zstd -d.'],
  ['425a68', 'compressed by bzip2', 'Unpack it first: bunzip2 -k.'],
  ['fd377a585a00', 'compressed by xz', 'Unpack it first: unxz -k.'],
  ['504b0304', 'a ZIP archive', 'Unpack it first (unzip), and give the folder.'],
  ['504b0506', 'an empty ZIP archive', 'Give a file with text in it.'],
  ['377abcaf271c', 'a 7-Zip archive', 'Unpack it first, and give the folder.'],
  [
    '50415231',
    'a Parquet table',
    `Write its column of text as JSON lines, in Python: pandas.read_parquet(…).to_json(…, orient="records", lines=True).`,
  ],
  [
    '4152524f5731',
    'an Arrow table',
    'Write it as JSON lines, in Python: datasets.Dataset.from_file(…).to_json(…).',
  ],
  [
    'ffffffff',
    'an Arrow stream or another binary format',
    'Write it as JSON lines, in Python: datasets.Dataset.from_file(…).to_json(…).',
  ],
  ['25504446', 'a PDF document', 'Take its text out first: pdftotext.'],
  ['89504e47', 'a PNG image', 'This model learns from text; give text.'],
  ['ffd8ff', 'a JPEG image', 'This model learns from text; give text.'],
  ['53514c69746520666f726d6174', 'an SQLite database', 'Export its text first.'],
  ['894844460d0a', 'an HDF5 file', 'Export its text first.'],
  ['934e554d5059', 'a NumPy array', 'Give the text that its tokens were made of.'],
];

/** Names what a file is by its first bytes, where it is no text. */
function refuseContainers(file: SourceFile, head: Buffer): void {
  const start = head.toString('hex', 0, 16);
  const found = containers.find(([magic]) => start.startsWith(magic));
  // Text can begin with "BZh" too, but not with what follows there.
  if (!found || (found[0] === '425a68' && firstBadByte(head.subarray(0, 512)) === undefined))
    return;
  throw new UnsupportedError(`${file.name} is not text but ${found[1]}.`, found[2]);
}

/** The encodings that a byte order mark tells. */
const marks: readonly (readonly [string, string])[] = [
  ['fffe0000', 'UTF-32LE'],
  ['0000feff', 'UTF-32BE'],
  ['fffe', 'UTF-16LE'],
  ['feff', 'UTF-16BE'],
];

/** The encoding whose byte order mark a file begins with. */
function markedEncoding(head: Buffer): string | undefined {
  const start = head.toString('hex', 0, 4);
  return marks.find(([mark]) => start.startsWith(mark))?.[1];
}

/** What a file with zero bytes is, as well as its beginning tells. */
export function encodingWithZeros(head: Buffer): string | undefined {
  const marked = markedEncoding(head);
  if (marked) return marked;
  let [even, odd] = [0, 0];
  for (let index = 0; index < head.length; index++) {
    if (head[index] !== 0) continue;
    if (index % 2 === 0) even++;
    else odd++;
  }
  // Text in Latin letters has a zero in nearly every other byte.
  const half = head.length / 2;
  if (odd > 0.3 * half && even < 0.05 * half) return 'UTF-16LE';
  if (even > 0.3 * half && odd < 0.05 * half) return 'UTF-16BE';
  return undefined;
}

/** The command that converts a file, with its name. */
export const conversion = (file: SourceFile, encoding: string): string =>
  `iconv -f ${encoding} -t UTF-8 "${file.name}" > converted.txt`;

/** Refuses what a byte order mark says is UTF-16 or UTF-32. */
function refuseMarked(file: SourceFile, head: Buffer): void {
  const encoding = markedEncoding(head);
  if (!encoding) return;
  throw new UserError(
    `${file.name} is not UTF-8 text but ${encoding}: it begins with the mark of that encoding.`,
    `Convert it: ${conversion(file, encoding)}.`,
  );
}

/** What a line holds as JSON, or undefined where it is none. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

const isObject = (line: string): boolean => line.startsWith('{') && isRecord(parsed(line));

/** The refusal of one JSON value that fills the file. */
function wholeDocument(file: SourceFile, value: unknown): UserError {
  const jq = (filter: string): string =>
    `Make JSON lines of it: jq -c '${filter}' "${file.name}" > lines.jsonl.`;
  if (Array.isArray(value)) {
    return new UnsupportedError(
      `${file.name} is one JSON array of ${value.length} values, not JSON lines.`,
      jq('.[]'),
    );
  }
  const lists = Object.entries(value as object).filter(
    ([, entry]) => Array.isArray(entry) && entry.some(isRecord),
  );
  return new UnsupportedError(
    `${file.name} is one JSON object over several lines${lists.length > 0 ? `, with lists of records in ${listed(lists.map(([key]) => key))}` : ''}, not JSON lines.`,
    jq(lists[0] ? `.${JSON.stringify(lists[0][0])}[]` : '.'),
  );
}

/**
 * How a file is to be read, by what it holds and not by its name.
 * @throws UserError for what is neither text nor JSON lines, with what it is
 */
export async function textFormat(file: SourceFile, read: ReadBytes): Promise<TextFormat> {
  const head = await read(file.path, 0, Math.min(file.bytes, headBytes));
  refuseMarked(file, head);
  refuseContainers(file, head);
  const extension = extname(file.name).toLowerCase();
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  const start = text.trimStart().charAt(0);
  const isNamedJson = extension === '.json' || recordExtensions.includes(extension);
  if (start !== '{' && start !== '[')
    return recordExtensions.includes(extension) ? 'records' : 'lines';

  const lines = text.split('\n');
  const isWhole = head.length === file.bytes;
  // The last line goes on behind the head.
  if (!isWhole && lines.length > 1) lines.pop();
  const filled = lines.map(line => line.trim()).filter(line => line !== '');
  const [first = ''] = filled;
  const objects = filled.filter(isObject).length;
  if (isObject(first) && objects * 2 >= filled.length) return 'records';
  if (filled.length === 1 && !isWhole && first.startsWith('{"')) return 'records';
  const document = await documentOf(file, { read, first, isNamedJson });
  if (document !== undefined) throw wholeDocument(file, document);
  const python = filled.filter(line => /^\{'.*\}$/.test(line)).length;
  if (python * 2 >= filled.length) {
    throw new CorruptFileError(
      `${file.name} holds Python dictionaries, whose quotes are not JSON's.`,
      'Write it again in Python with json.dumps(record), one record a line.',
    );
  }
  const lists = filled.filter(line => line.startsWith('[') && Array.isArray(parsed(line))).length;
  if (lists >= 2 && lists === filled.length) {
    throw new UnsupportedError(
      `${file.name} holds a JSON array in each line, not an object.`,
      `Make objects of them: jq -c '{text: .[0]}' "${file.name}" > lines.jsonl, with the number of the text in each array.`,
    );
  }
  if (extension === '.json') {
    throw new CorruptFileError(
      `${file.name} is no JSON and no JSON lines, though it is called so and begins with ${start}.`,
      'Repair it, so that each line is one JSON object with its text in "text" or "content"; call it .txt where it is text.',
    );
  }
  return recordExtensions.includes(extension) ? 'records' : 'lines';
}

/** The one JSON value that a file is, where it begins like one. */
async function documentOf(
  file: SourceFile,
  { read, first, isNamedJson }: { read: ReadBytes; first: string; isNamedJson: boolean },
): Promise<unknown> {
  const begins = /^(\{|\[|\[\s*[[{"].*|\{\s*".*)$/.test(first);
  if (!isNamedJson && !begins) return undefined;
  if (file.bytes > largestDocument) {
    if (first !== '[' && !first.startsWith('[{')) return undefined;
    throw new UnsupportedError(
      `${file.name} begins like one JSON array, not like JSON lines.`,
      `Make JSON lines of it: jq -c '.[]' "${file.name}" > lines.jsonl.`,
    );
  }
  const value = parsed(
    (await read(file.path, 0, file.bytes)).toString('utf8').replace(/^\uFEFF/, ''),
  );
  return typeof value === 'object' && value !== null ? value : undefined;
}
