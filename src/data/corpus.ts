import { UserError, type Note } from '../errors';
import { blockBytes, lineReader, type LineRange } from './lines';
import { BadRecord, parseRecord } from './records';
import { readBytes, type ReadBytes, type SourceFile } from './sourceFiles';
import { surveyText, type TextSurvey } from './textSurvey';

/** A line of a corpus; start and end are bytes of the concatenation of all its files. */
export interface CorpusLine extends LineRange {
  /** What there is to tokenise, without the line feed. */
  text(): Promise<string>;
}

/** Text files as one range of bytes, of which any line can be had without reading the rest. */
export interface Corpus {
  readonly files: readonly SourceFile[];
  readonly bytes: number;
  readonly notes: readonly Note[];
  /** The line that holds a byte, which lies in 0…bytes − 1. */
  lineAt(offset: number): Promise<CorpusLine>;
  clear(): void;
}

/** Counts lines up to a byte, only to name one in an error. */
async function lineNumber(file: SourceFile, offset: number, read: ReadBytes): Promise<number> {
  let number = 1;
  for (let position = 0; position < offset; position += blockBytes) {
    const bytes = await read(file.path, position, Math.min(blockBytes, offset - position));
    for (const byte of bytes) if (byte === 10) number++;
  }
  return number;
}

/**
 * Opens a text file, or every .txt, .md, .json and .jsonl of a folder, sorted by name.
 * @param survey what `surveyText` found of the path, where that was done before
 * @throws UserError as `surveyText` does
 */
export async function openCorpus(
  path: string,
  read: ReadBytes = readBytes,
  survey?: TextSurvey,
): Promise<Corpus> {
  const { files, notes } = survey ?? (await surveyText(path, read));
  const starts: number[] = [];
  let total = 0;
  for (const { bytes } of files) {
    starts.push(total);
    total += bytes;
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
    const isJson = file.format === 'records';
    const range = await lines.lineAt(file, offset - start, isJson);
    return {
      start: start + range.start,
      end: start + range.end,
      complete: range.complete,
      async text() {
        const line = (await lines.text(file, range)).replace(/\r?\n$/, '');
        if (!isJson) return line;
        if (line.trim() === '') return '';
        try {
          return parseRecord(line).text;
        } catch (error) {
          if (!(error instanceof BadRecord)) throw error;
          const number = await lineNumber(file, range.start, read);
          throw new UserError(`${file.name}, line ${number}: ${error.message}`, error.remedy, {
            cause: error,
          });
        }
      },
    };
  }

  return { files, notes, bytes: total, lineAt, clear: () => lines.clear() };
}
