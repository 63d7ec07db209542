import { CorruptFileError, UnsupportedError, type Note } from '../../../errors';
import { counted } from '../../../format';
import { bytesPerElement, type StoredType } from '../../elementTypes';
import { chunked, type StoredChunk } from '../../layouts/chunked';
import { contiguous } from '../../layouts/contiguous';
import type { Layout } from '../../layouts/layout';
import { swapped } from '../../layouts/swapped';
import { quoted, tensorNameProblem } from '../../names';
import { elementCount, MAX_ELEMENTS, type TensorInfo } from '../../tensor';
import type { FileContents, Format, FormatFile } from '../format';
import { structureOf, type Fail } from '../structure';
import { renamed } from '../names/renaming';
import { kerasFileNames } from '../names/transformers';
import { FileBytes } from './bytes';
import { listChunks, MAX_CHUNK_BYTES, type Chunk } from './chunks/list';
import { unpacked } from './filters';
import type { ElementKind, Hdf5Object } from './messages';
import { readTree } from './tree';

const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/** Deflate makes nothing smaller than this many times: what claims more holds nothing of it. */
const MOST_TIMES = 1040;

/**
 * HDF5 files as h5py and Keras write them: groups of both forms, data sets in one run of bytes or in chunks.
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
    const bytes = new FileBytes(read, size);
    const tree = await structureOf(readTree(bytes), fail);
    const tensors: TensorInfo[] = [];
    const notes: Note[] = [];
    for (const [name, object] of tree.dataSets) {
      const problem = tensorNameProblem(name);
      if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
      const because = object.because ?? typeProblem(object.elements!) ?? chunkProblem(object);
      if (because === undefined) {
        const { shape, values } = sizesOf(name, object, size, fail);
        const layout = object.chunks
          ? await structureOf(layoutOfChunks(bytes, name, object, file), fail)
          : layoutOfRun(name, object, values, size, fail);
        tensors.push(tensorOf(name, { ...object, shape }, file, values, layout));
      } else {
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
    return {
      metadata: {},
      tensors: renamed(tensors, kerasFileNames),
      notes,
      problems: placesOfKeras(tensors, file),
    };
  },
};

/** What keeps weights of Keras 3 from being grown: `layers/dense/vars/0` says where they stand in a graph. */
function placesOfKeras(tensors: readonly TensorInfo[], file: string): readonly UnsupportedError[] {
  const placed = tensors.find(({ name }) => /(?:^|\/)vars\/\d+$/.test(name));
  if (!placed) return [];
  return [
    new UnsupportedError(
      `${file} holds weights of a model of Keras (${quoted(placed.name)}): they are listed; it cannot be grown, because they are called by their places in a graph of layers, not by what they are in a model.`,
      'Grow the checkpoint of transformers that it was made from, or copy its weights into such a model and save that with save_pretrained.',
    ),
  ];
}

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

const chunkProblem = ({ chunks }: Hdf5Object): string | undefined => {
  const bytes = chunks?.shape.reduce((product, size) => product * size, chunks.elementBytes) ?? 0;
  return bytes > MAX_CHUNK_BYTES
    ? `its chunks take ${bytes} bytes each; at most ${MAX_CHUNK_BYTES} are read`
    : undefined;
};

/** The shape of a data set, and the bytes that its values take. */
function sizesOf(
  name: string,
  { shape = [], elements, place, chunks }: Hdf5Object,
  size: number,
  fail: Fail,
): { readonly shape: readonly number[]; readonly values: number } {
  const tensor = `tensor ${quoted(name)}`;
  const values = elementCount(shape) * bytesPerElement(typeOf(elements!)!);
  if (!shape.every(Number.isSafeInteger) || values > MAX_ELEMENTS) {
    return fail(`${tensor} has more elements than any file can hold`);
  }
  if (!place && !chunks && values > 0) return fail(`${tensor} has no values`);
  if (values > size * MOST_TIMES) {
    fail(`${tensor} takes ${values} bytes, which a file of ${size} cannot hold`);
  }
  return { shape, values };
}

/** Values in one run of bytes, or none that were written. */
function layoutOfRun(
  name: string,
  { shape = [], elements, place, fill }: Hdf5Object,
  values: number,
  size: number,
  fail: Fail,
): Layout {
  const type = typeOf(elements!)!;
  const begin = place?.begin ?? -1;
  if (begin < 0) {
    const form = { shape, chunk: shape, elementBytes: bytesPerElement(type) };
    return chunked([], { ...form, ...usable(fill, form.elementBytes) });
  }
  if (values > 0 && (place!.bytes < values || begin + values > size)) {
    fail(`tensor ${quoted(name)} takes ${values} bytes, but ${place!.bytes} are there for it`);
  }
  return contiguous(type, begin);
}

const usable = (
  fill: Uint8Array | undefined,
  elementBytes: number,
): { readonly fill?: Uint8Array } => (fill?.length === elementBytes ? { fill } : {});

/** Values in chunks. @throws Error that ends "it cannot be used: …" */
async function layoutOfChunks(
  bytes: FileBytes,
  name: string,
  object: Hdf5Object,
  file: string,
): Promise<Layout> {
  const { shape = [], fill, elements } = object;
  const place = object.chunks!;
  const elementBytes = bytesPerElement(typeOf(elements!)!);
  if (place.elementBytes !== elementBytes) {
    throw new Error(`the chunks of ${quoted(name)} have elements of another size`);
  }
  const chunks = await listChunks(bytes, object, place);
  const form = { shape, chunk: place.shape, elementBytes, ...usable(fill, elementBytes) };
  const chunkBytes = elementCount(place.shape) * elementBytes;
  return chunked(
    chunks.map(chunk => storedChunk(chunk, chunkBytes, `${file}: a chunk of ${quoted(name)}`)),
    form,
  );
}

const storedChunk = (
  { origin, begin, bytes, filters }: Chunk,
  chunkBytes: number,
  what: string,
): StoredChunk => ({
  origin,
  async read(readBytes) {
    const stored = await readBytes(begin, begin + bytes);
    try {
      return unpacked(stored, filters, chunkBytes);
    } catch (cause) {
      throw new CorruptFileError(
        `${what} (from byte ${begin}) is damaged: it does not unpack to the values that it should hold.`,
        'Copy or download the file again.',
        { cause },
      );
    }
  },
});

function tensorOf(
  name: string,
  { shape = [], elements }: Hdf5Object,
  file: string,
  bytes: number,
  lying: Layout,
): TensorInfo {
  const type = typeOf(elements!)!;
  const elementBytes = bytesPerElement(type);
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
