import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { CorruptFileError, UserError } from '../errors';

/** Tokenizers of 250,000 tokens take 20 MB; this much more is not one. */
const largestTextFile = 256 * 1024 * 1024;

/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What a person can do about a file that the system would not open or read. */
export function unreadable(path: string, cause: unknown): UserError {
  return new UserError(
    `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    'Check the path, its permissions and the disk.',
    { cause },
  );
}

/** The text of a small file beside a checkpoint, or undefined where there is none. */
export async function readText(directory: string, name: string): Promise<string | undefined> {
  const path = join(directory, name);
  let handle;
  try {
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    if (size > largestTextFile) {
      throw new CorruptFileError(
        `${path} has ${size} bytes, more than any such file (${largestTextFile}).`,
        'Download it again.',
      );
    }
    return await handle.readFile('utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error instanceof UserError ? error : unreadable(path, error);
  } finally {
    await handle?.close();
  }
}

/** Whether a parsed JSON value is an object with named fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object in a small file, or undefined where there is none; CorruptFileError if it is not one. */
export async function readJson(
  directory: string,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const text = await readText(directory, name);
  if (text === undefined) return undefined;
  const corrupt = (problem: string, cause?: unknown): CorruptFileError =>
    new CorruptFileError(
      `${join(directory, name)} ${problem}`,
      'Download the file again, or repair it with a JSON editor.',
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(`is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (!isRecord(value)) throw corrupt('does not hold a JSON object.');
  return value;
}
