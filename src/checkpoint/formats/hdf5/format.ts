import { CorruptFileError, type Note } from '../../../errors';
import { counted } from '../../../format';
import { bytesPerElement, type StoredType } from '../../elementTypes';
import { contiguous } from '../../layouts/contiguous';
import { swapped } from '../../layouts/swapped';
import { quoted, tensorNameProblem } from '../../names';
import { elementCount, MAX_ELEMENTS, type TensorInfo } from '../../tensor';
import type { FileContents, Format, FormatFile } from '../format';
import { structureOf, type Fail } from '../structure';
import { renamed } from '../names/renaming';
import { kerasFileNames } from '../names/transformers';
import { FileBytes } from './bytes';
import type { ElementKind, Hdf5Object } from './object';
import { readTree } from './tree';

const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/**
 * HDF5 files as h5py and Keras write them: groups of the older layout, data sets in one run of bytes.
 * Libraries for it follow links to other files, or read all of a file into memory.
 */
export const hdf5: Format = {
  id: 'hdf5',
  recognises: head => signature.equals(head.subarray(0, 8)),
  async open({ file, size, read }: FormatFile): Promise<FileContents> {
    const fail: Fail = (what, options) => {
      throw new CorruptFileError(
        `${file} is an HDF5 file and cannot be used: ${what}.`,
        'Copy or download the file again; if that does not help, load it in Python and save the model as safetensors.',
        options,
      );
    };
    const tree = await structureOf(readTree(new FileBytes(read, size)), fail);
    const tensors: TensorInfo[] = [];
    const notes: Note[] = [];
    for (const [name, object] of tree.dataSets) {
      const problem = tensorNameProblem(name);
      if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
      const because = object.because ?? typeProblem(object.elements!);
      if (because === undefined) tensors.push(tensorOf(name, object, file, size, fail));
      else {
        notes.push({
          message: `${file}: the data set ${quoted(name)} is not listed, because ${because}.`,
          remedy: 'Load the file in Python and save the model as safetensors if it is needed.',
        });
      }
    }
    if (tree.links.length > 0) {
      notes.push({
        message: `${file} has ${counted(tree.links.length, 'link')} that are not followed: ${tree.links.slice(0, 3).map(quoted).join(', ')}.`,
        remedy: 'Nothing is lost if they lead to what is listed.',
      });
    }
    return { metadata: {}, tensors: renamed(tensors, kerasFileNames), notes };
  },
};

/** The type of elements here; undefined for those without one. */
function typeOf({ kind, size, isSigned, exponent }: ElementKind): StoredType | undefined {
  if (kind === 'integer') {
    const signed: Readonly<Record<number, StoredType>> = { 1: 'I8', 2: 'I16', 4: 'I32', 8: 'I64' };
    const not: Readonly<Record<number, StoredType>> = { 1: 'U8', 2: 'U16', 4: 'U32', 8: 'U64' };
    return (isSigned ? signed : not)[size];
  }
  if (kind === 'other') return undefined;
  const floats: Readonly<Record<string, StoredType>> = {
    '2.5': 'F16',
    '2.8': 'BF16',
    '4.8': 'F32',
    '8.11': 'F64',
  };
  return floats[`${size}.${exponent}`];
}

const typeProblem = (elements: ElementKind): string | undefined =>
  typeOf(elements) === undefined ? 'its elements are no plain numbers' : undefined;

function tensorOf(
  name: string,
  { shape = [], elements, place }: Hdf5Object,
  file: string,
  size: number,
  fail: Fail,
): TensorInfo {
  const tensor = `tensor ${quoted(name)}`;
  const type = typeOf(elements!)!;
  const elementBytes = bytesPerElement(type);
  const bytes = elementCount(shape) * elementBytes;
  if (!shape.every(Number.isSafeInteger) || bytes > MAX_ELEMENTS) {
    return fail(`${tensor} has more elements than any file can hold`);
  }
  const begin = place?.begin ?? -1;
  if (begin < 0 && bytes > 0) return fail(`${tensor} has no values`);
  if (bytes > 0 && (place!.bytes < bytes || begin + bytes > size)) {
    return fail(`${tensor} takes ${bytes} bytes, but ${place!.bytes} are there for it`);
  }
  const lying = contiguous(type, Math.max(0, begin));
  const isTurned = elements!.isBigEndian && elementBytes > 1;
  return {
    name,
    type,
    ...(isTurned && { storedAs: `${type}, big-endian` }),
    shape,
    file,
    bytes,
    layout: isTurned ? swapped(lying, elementBytes) : lying,
  };
}
