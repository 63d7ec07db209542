import { extname } from 'node:path';
import { CorruptFileError, UnsupportedError, UserError, type Note } from '../errors';
import { counted } from '../format';
import { listed } from './note';
import { textFields } from './records';
import {
  extensionsOf,
  isFolder,
  leftOutNotes,
  listFolder,
  readBytes,
  singleFile,
  type ReadBytes,
  type SourceFile,
} from './sourceFiles';
import { checkTextFile, type TextFindings } from './textCheck';
import { recordExtensions, textFormat, type TextFormat } from './textFormat';

/** A file of text and how it is read. */
export interface TextFile extends SourceFile {
  readonly format: TextFormat;
}

/** The files of a text source, all of whose bytes were looked at once. */
export interface TextSurvey {
  /** Those that hold something, in their order. */
  readonly files: readonly TextFile[];
  readonly notes: readonly Note[];
}

const kinds = '.txt, .md, .json or .jsonl';
const textExtensions = ['.txt', '.text', '.md', '.json', ...recordExtensions];

/** Tables that are text, though their separators and quotes are not what was written. */
const tableExtensions = ['.csv', '.tsv'];

/** The files of a source of text. Throws UserError where there are none. */
export async function textFiles(
  path: string,
): Promise<{ files: readonly SourceFile[]; notes: Note[] }> {
  if (!(await isFolder(path))) return { files: [await singleFile(path)], notes: [] };
  const listing = await listFolder(path, textExtensions);
  const notes = leftOutNotes(path, listing, kinds);
  if (listing.files.length > 0) return { files: listing.files, notes };
  const { others, leftOut } = listing;
  const found = [
    ...(others.length > 0 ? [extensionsOf(others)] : []),
    ...leftOut.map(({ name, why }) => `${name} (${why})`),
  ];
  throw new UserError(
    `The folder ${path} holds no ${kinds} file${found.length > 0 ? `, only ${listed(found)}` : ''}.`,
    'Give a text file, or a folder with text in it; unpack archives, write tables as JSON lines, and end the names of text without an extension in .txt.',
  );
}

/** A file that was checked, or why it is left out of a folder. */
interface Checked {
  readonly file: TextFile;
  readonly findings: TextFindings;
}

/**
 * Finds the files of a text source and reads all of them once: how each is written, that it is UTF-8
 * throughout, that its records parse.
 * @throws UserError when there is nothing, or something that is no text
 */
export async function surveyText(
  path: string,
  read: ReadBytes = readBytes,
  signal?: AbortSignal,
): Promise<TextSurvey> {
  const { files, notes } = await textFiles(path);
  const filled = files.filter(({ bytes }) => bytes > 0);
  const empty = files.filter(({ bytes }) => bytes === 0);
  if (filled.length === 0) {
    throw new UserError(`${path} is empty.`, 'Give a text file or folder with text in it.');
  }
  if (empty.length > 0) {
    notes.push({
      message: `${counted(empty.length, 'file is', 'files are')} empty: ${listed(empty.map(({ name }) => name))}.`,
      remedy: 'Get them again if there should be text in them.',
    });
  }
  const checked: Checked[] = [];
  const documents: string[] = [];
  let refusal: UserError | undefined;
  for (const file of filled) {
    try {
      const format = await textFormat(file, read);
      const findings = await checkTextFile(file, format, read, signal);
      checked.push({ file: { ...file, format }, findings });
    } catch (error) {
      // Beside data, a .json is often a description of it.
      const isDocument = error instanceof UnsupportedError || error instanceof CorruptFileError;
      if (files.length === 1 || !isDocument || !file.name.endsWith('.json')) throw error;
      refusal ??= error;
      documents.push(error.message.replace(/\.$/, ''));
    }
  }
  if (checked.length === 0 && refusal) throw refusal;
  if (documents.length > 0) {
    notes.push({
      message: `Left out, since only JSON lines are read: ${listed(documents)}.`,
      remedy: refusal?.remedy ?? '',
    });
  }
  for (const each of checked) refuseMixed(each);
  return { files: checked.map(({ file }) => file), notes: [...notes, ...notesOn(checked)] };
}

/** Half of the lines of plain text look like JSON: nobody wants to learn their braces. */
const mixedShare = 0.5;

function refuseMixed({ file, findings: { objects, filled } }: Checked): void {
  if (file.format !== 'lines' || objects < filled * mixedShare || objects === 0) return;
  throw new UserError(
    `${file.name} is neither text nor JSON lines: ${objects.toLocaleString('en')} of its ${counted(filled, 'line')} look like JSON objects, and the others do not.`,
    'Remove what is not JSON (headers, commas behind records), so that each line is one object with its text in "text" or "content".',
  );
}

/** What was found in the files and stops nothing, one note a kind. */
function notesOn(checked: readonly Checked[]): Note[] {
  const notes: Note[] = [];
  const records = checked.filter(({ file }) => file.format === 'records');
  if (records.length > 0) notes.push(recordsNote(records));
  const sum = (of: readonly Checked[], read: (findings: TextFindings) => number): number =>
    of.reduce((total, { findings }) => total + read(findings), 0);
  const names = (of: readonly Checked[]): string => listed(of.map(({ file }) => file.name));
  const having = (read: (findings: TextFindings) => number): Checked[] =>
    checked.filter(({ findings }) => read(findings) > 0);

  const emptyRecords = having(({ empty }) => empty);
  if (emptyRecords.length > 0) {
    const count = sum(emptyRecords, ({ empty }) => empty);
    notes.push({
      message: `${counted(count, 'record has', 'records have')} an empty text (${names(emptyRecords)}).`,
      remedy: 'Nothing is learned from them; look whether the text is in another field.',
    });
  }
  const mixed = having(({ objects }) => objects);
  if (mixed.length > 0) {
    const count = sum(mixed, ({ objects }) => objects);
    notes.push({
      message: `${counted(count, 'line looks', 'lines look')} like JSON and ${count === 1 ? 'is' : 'are'} learned as text, braces and keys included (${names(mixed)}).`,
      remedy: 'Put JSON lines into a file of their own, if they are meant as such.',
    });
  }
  const tables = checked.filter(({ file }) =>
    tableExtensions.includes(extname(file.name).toLowerCase()),
  );
  if (tables.length > 0) {
    notes.push({
      message: `${names(tables)} is a table: its lines are learned as text, with separators, quotes and all columns.`,
      remedy:
        'Write its column of text as JSON lines, in Python: pandas.read_csv(…).to_json(…, orient="records", lines=True).',
    });
  }
  const plainJson = checked.filter(
    ({ file }) => file.format === 'lines' && file.name.toLowerCase().endsWith('.json'),
  );
  if (plainJson.length > 0) {
    notes.push({
      message: `${names(plainJson)} holds no JSON, though it is called so, and is learned as text.`,
      remedy: 'Call it .txt if it is text.',
    });
  }
  const lossy = having(({ replaced }) => replaced);
  if (lossy.length > 0) {
    notes.push({
      message: `${counted(
        sum(lossy, ({ replaced }) => replaced),
        'replacement character (U+FFFD) stands',
        'replacement characters (U+FFFD) stand',
      )} where an earlier conversion lost letters (${names(lossy)}).`,
      remedy: 'Convert the text again from its source, with its true encoding.',
    });
  }
  const returns = having(({ lonelyReturns }) => lonelyReturns);
  if (returns.length > 0) {
    notes.push({
      message: `${names(returns)} has carriage returns and no line feeds, so it counts as a single line.`,
      remedy: 'Convert its line ends: tr "\\r" "\\n".',
    });
  }
  return notes;
}

/** Says which field of JSON lines is learned, and which are not. */
function recordsNote(records: readonly Checked[]): Note {
  const count = (field: (typeof textFields)[number]): number =>
    records.reduce((total, { findings }) => total + (findings.texts.get(field) ?? 0), 0);
  const used = textFields.filter(field => count(field) > 0);
  const others = [...new Set(records.flatMap(({ findings }) => [...findings.otherFields]))];
  const names = listed(
    records.map(({ file }) => file.name),
    3,
  );
  const from = used
    .map(field => `the field "${field}" of ${counted(count(field), 'record')}`)
    .join(' and ');
  const not = others.length > 0 ? `; their other fields are not (${listed(others)})` : '';
  return {
    message: `${names} ${records.length === 1 ? 'is' : 'are'} read as JSON lines: ${from || 'no record'} is learned${not}.`,
    remedy: 'Put what is to be learned into the field "text".',
  };
}
