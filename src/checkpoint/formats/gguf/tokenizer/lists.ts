import { CorruptFileError } from '../../../../errors';
import type { ReadBytes } from '../../../layouts/layout';
import { isList, numberReaders, type Value } from '../values';

/** Reads a list of texts out of the file; empty where there is none. @throws CorruptFileError */
export async function readTexts(list: Value | undefined, read: ReadBytes): Promise<string[]> {
  if (list === undefined) return [];
  if (!isList(list) || list.of !== 'string') throw notOf('texts');
  const bytes = await read(list.begin, list.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const texts: string[] = [];
  let at = 0;
  for (let i = 0; i < list.count; i++) {
    const length = Number(view.getBigUint64(at, true));
    try {
      texts.push(decoder.decode(bytes.subarray(at + 8, at + 8 + length)));
    } catch {
      throw notOf('UTF-8 texts');
    }
    at += 8 + length;
  }
  return texts;
}

/** Reads a list of numbers out of the file; empty where there is none. @throws CorruptFileError */
export async function readNumbers(list: Value | undefined, read: ReadBytes): Promise<number[]> {
  if (list === undefined) return [];
  if (!isList(list) || list.of === 'string' || list.of === 'array') throw notOf('numbers');
  const bytes = await read(list.begin, list.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [size, get] = numberReaders[list.of];
  return Array.from({ length: list.count }, (_, i) => Number(get(view, i * size)));
}

const notOf = (what: string): CorruptFileError =>
  new CorruptFileError(
    `The metadata has something else than a list of ${what} for its tokenizer.`,
    'Convert the model anew with a current version of llama.cpp.',
  );
