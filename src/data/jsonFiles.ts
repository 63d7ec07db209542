import { join } from 'node:path';
import { CorruptFileError, UserError } from '../errors';
import { readOwnText, unreadable } from '../files';

/**
 * The small files of a checkpoint: those of a folder, or before them texts that stand in for some of
 * them, by their names.
 */
export type SmallFiles =
  | string
  | {
      readonly directory: string;
      readonly companions: ReadonlyMap<string, () => Promise<string>>;
    };

/** The folder they belong to. */
export const folderOf = (files: SmallFiles): string =>
  typeof files === 'string' ? files : files.directory;

/** Tokenizers of 250,000 tokens take 35 MB at most; this much is not one. */
const largestTextFile = 40 * 1024 * 1024;

/** The text of a small file beside a checkpoint, or undefined where there is none. */
export async function readText(files: SmallFiles, name: string): Promise<string | undefined> {
  const directory = folderOf(files);
  try {
    const standIn = typeof files === 'string' ? undefined : files.companions.get(name);
    return standIn ? await standIn() : await readOwnText(directory, name, largestTextFile);
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(join(directory, name), error);
  }
}

/** Lists within lists; the files of a tokenizer have ten at most, and Hugging Face's parser stops at 128. */
const deepestJson = 128;

/** Values in one file, of some 60 bytes each; a vocabulary of 500,000 tokens has 2,000,000 at most. */
const mostJsonValues = 4_000_000;

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Why a text is more than any such file holds, if it is. Asked before it is parsed: a parser that
 * runs out of memory takes the process with it.
 */
function tooMuch(json: string): string | undefined {
  let depth = 0;
  let values = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at);
    if (quoted) {
      if (character === backslash) at++;
      else if (character === quote) quoted = false;
    } else if (character === quote) quoted = true;
    else if (character === openList || character === openObject) {
      values++;
      if (++depth > deepestJson) return `has more than ${deepestJson} lists within lists.`;
    } else if (character === closeList || character === closeObject) depth--;
    else if (character === comma) values++;
  }
  return values > mostJsonValues ? `has more than ${mostJsonValues} values.` : undefined;
}

/** Whether a parsed JSON value is an object with named fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object in a small file, or undefined where there is none; CorruptFileError if it is not one. */
export async function readJson(
  files: SmallFiles,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const text = await readText(files, name);
  if (text === undefined) return undefined;
  const corrupt = (problem: string, cause?: unknown): CorruptFileError =>
    new CorruptFileError(
      `${join(folderOf(files), name)} ${problem}`,
      'Download the file again, or repair it with a JSON editor.',
      { cause },
    );
  const problem = tooMuch(text);
  if (problem !== undefined) throw corrupt(problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(`is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (!isRecord(value)) throw corrupt('does not hold a JSON object.');
  return value;
}
