import { basename } from 'node:path';

import { CorruptFileError, UnsupportedError, type Note } from '../../../errors';
import { counted } from '../../../format';
import { inflated, inflating } from '../../layouts/inflated';
import { inPieces } from '../../layouts/pieces';
import type { ReadBytes } from '../../layouts/layout';
import { quoted, tensorNameProblem } from '../../names';
import type { TensorInfo } from '../../tensor';
import type { FileContents, Format, FormatFile } from '../format';
import { flaxNames } from '../names/transformers';
import { renamed } from '../names/renaming';
import { ARRAY_HEAD_BYTES, arrayMagic, readArrayHeader, type ArrayHeader } from './array';
import { deflatedPart, firstName, listZip, type ZipFilePart } from '../zipParts';

const startsWith = (head: Uint8Array, bytes: Uint8Array | string, at = 0): boolean =>
  Buffer.from(bytes).equals(head.subarray(at, at + bytes.length));

const SAVE_AS_NUMBERS = 'Save it as an array of numbers, float32 say.';

const restOf = (what: string, rest: number): Note => ({
  message: `${what} goes on for ${counted(rest, 'byte')} after its array, which are not read.`,
  remedy: 'Save each array into a file of its own.',
});

/** One array, as numpy.save writes. */
export const npy: Format = {
  id: 'npy',
  recognises: head => startsWith(head, arrayMagic),
  async open({ file, size, head, read }: FormatFile): Promise<FileContents> {
    const start = await read(0, Math.min(size, Math.max(head.length, ARRAY_HEAD_BYTES)));
    const array = readArrayHeader(start, size, file);
    if ('because' in array) {
      throw new UnsupportedError(`${file} ${array.because}.`, SAVE_AS_NUMBERS);
    }
    const name = basename(file).replace(/\.npy$/i, '');
    const rest = size - array.end;
    return {
      metadata: {},
      tensors: [tensorOf(tensorNameProblem(name) === undefined ? name : 'array', array, file)],
      notes: rest > 0 ? [restOf(file, rest)] : [],
    };
  },
};

const tensorOf = (
  name: string,
  { type, storedAs, shape, bytes, layout }: ArrayHeader,
  file: string,
): TensorInfo => ({
  name,
  type,
  ...(storedAs !== undefined && { storedAs }),
  shape,
  file,
  bytes,
  layout,
});

/** Arrays in a zip archive, as numpy.savez and numpy.savez_compressed write. */
export const npz: Format = {
  id: 'npz',
  recognises: head => startsWith(head, 'PK\x03\x04') && firstName(head).endsWith('.npy'),
  async open(opened: FormatFile): Promise<FileContents> {
    const { file, read } = opened;
    const tensors: TensorInfo[] = [];
    const notes: Note[] = [];
    for (const part of await listZip(opened)) {
      const name = part.name.replace(/\.npy$/, '');
      const what = `${file}: the file ${quoted(part.name)} in it`;
      if (name === part.name) {
        notes.push({ message: `${what} is no array, and not read.`, remedy: 'Nothing is lost.' });
        continue;
      }
      const problem = tensorNameProblem(name);
      if (problem !== undefined) {
        throw new CorruptFileError(`${what} has a name that ${problem}.`, SAVE_ANEW);
      }
      const array = await readPart(part, what, read);
      if ('because' in array) {
        notes.push({ message: `${what} ${array.because}.`, remedy: SAVE_AS_NUMBERS });
        continue;
      }
      if (array.end < part.bytes) notes.push(restOf(what, part.bytes - array.end));
      const layout = part.isDeflated
        ? inflated(deflatedPart(part, what), array.layout)
        : inPieces([{ begin: part.begin, bytes: part.bytes }], array.layout);
      tensors.push(tensorOf(name, { ...array, layout }, file));
    }
    return { metadata: {}, tensors: renamed(tensors, flaxNames), notes };
  },
};

const SAVE_ANEW = 'Save the arrays anew under plain names.';

async function readPart(
  part: ZipFilePart,
  what: string,
  read: ReadBytes,
): Promise<ReturnType<typeof readArrayHeader>> {
  const { begin, bytes } = part;
  const length = Math.min(bytes, ARRAY_HEAD_BYTES);
  const head = part.isDeflated
    ? await inflating(deflatedPart(part, what), read)(0, length)
    : await read(begin, begin + length);
  return readArrayHeader(head, bytes, what);
}
