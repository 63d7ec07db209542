import { CorruptFileError, UnsupportedError } from '../../../errors';
import { bytesPerElement, type StoredType } from '../../elementTypes';
import { contiguous } from '../../layouts/contiguous';
import { inPieces } from '../../layouts/pieces';
import { quoted, tensorNameProblem } from '../../names';
import { elementCount, MAX_ELEMENTS, MAX_RANK, MAX_TENSORS, type TensorInfo } from '../../tensor';
import type { FileContents, Format, FormatFile } from '../format';
import { structureOf, type Fail } from '../structure';
import { renamed } from '../names/renaming';
import { flaxNames } from '../names/transformers';
import { readTree, type Node, type PlacedArray } from './msgpack';

/** What stands in a map that is an array in pieces, which Flax makes of those above 1 GiB. */
const CHUNKED = '__msgpack_chunked_array__';

const types: ReadonlyMap<string, StoredType> = new Map([
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['int64', 'I64'],
  ['int32', 'I32'],
  ['int16', 'I16'],
  ['int8', 'I8'],
  ['uint64', 'U64'],
  ['uint32', 'U32'],
  ['uint16', 'U16'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
  ['complex64', 'C64'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
]);

/** Parameters as flax.serialization writes them: msgpack with arrays in it. */
export const flax: Format = {
  id: 'flax',
  recognises: beginsWithNamedMap,
  async open({ file, size, read }: FormatFile): Promise<FileContents> {
    const fail: Fail = (what, options) => {
      throw new CorruptFileError(
        `${file} cannot be used: ${what}.`,
        'Copy or download the file again; if that does not help, save the model anew.',
        options,
      );
    };
    const tree = await structureOf(readTree(read, size), fail);
    const tensors = [...leaves(tree, '')].map(([name, pieces, shape]) =>
      tensorOf(name, pieces, shape, file, fail),
    );
    if (tensors.length === 0) {
      throw new UnsupportedError(
        `${file} is msgpack without arrays of Flax.`,
        'Give the file of a model, which is called flax_model.msgpack as a rule.',
      );
    }
    if (tensors.length > MAX_TENSORS) fail(`it holds more than ${MAX_TENSORS} arrays`);
    return { metadata: {}, tensors: renamed(tensors, flaxNames) };
  },
};

type Leaf = readonly [name: string, pieces: readonly PlacedArray[], shape: readonly number[]];

/** The arrays below a node, under names whose parts are joined by slashes. */
function* leaves(node: Node, name: string): Generator<Leaf> {
  if (node.kind === 'array') yield [name, [node.array], node.array.shape];
  if (node.kind !== 'map') return;
  if (node.entries.has(CHUNKED)) {
    const numbers = listed(node.entries.get('shape'));
    const pieces = listed(node.entries.get('chunks'));
    yield [
      name,
      pieces.flatMap(piece => (piece.kind === 'array' ? [piece.array] : [])),
      numbers.map(size => (size.kind === 'number' ? size.value : -1)),
    ];
    return;
  }
  for (const [key, below] of node.entries) {
    yield* leaves(below, name === '' ? key : `${name}/${key}`);
  }
}

/** Nodes by their numbers: Flax makes of tuples maps of "0", "1", … */
function listed(node: Node | undefined): readonly Node[] {
  if (node?.kind !== 'map') return [];
  const { entries } = node;
  return [...entries.keys()].map((_, index) => entries.get(String(index)) ?? { kind: 'other' });
}

function tensorOf(
  name: string,
  pieces: readonly PlacedArray[],
  shape: readonly number[],
  file: string,
  fail: (what: string) => never,
): TensorInfo {
  const problem = tensorNameProblem(name);
  if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
  const tensor = `tensor ${quoted(name)}`;
  const [first] = pieces;
  if (first === undefined) return fail(`${tensor} is an array in pieces without any`);
  const { dtype } = first;
  const type = types.get(dtype);
  if (type === undefined) return fail(`${tensor} has an unknown element type (${quoted(dtype)})`);
  if (pieces.some(piece => piece.dtype !== dtype)) {
    return fail(`the pieces of ${tensor} have several element types`);
  }
  if (shape.length > MAX_RANK || !shape.every(axis => Number.isSafeInteger(axis) && axis >= 0)) {
    return fail(`${tensor} has no usable shape: at most ${MAX_RANK} whole numbers from 0 up`);
  }
  const bytes = elementCount(shape) * bytesPerElement(type);
  const stored = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  if (bytes > MAX_ELEMENTS || bytes !== stored) {
    return fail(
      `${tensor} of shape [${shape.join(', ')}] and type ${type} does not take the ${stored} bytes that it has`,
    );
  }
  const layout = inPieces(pieces, contiguous(type, 0));
  return { name, type, shape, file, bytes, layout };
}

/** A map whose first key is a name: what begins every file of parameters. */
function beginsWithNamedMap(head: Uint8Array): boolean {
  const [first = 0] = head;
  const at = first === 0xde ? 3 : first === 0xdf ? 5 : 1;
  if (at === 1 && (first & 0xf0) !== 0x80) return false;
  const kind = head[at] ?? 0;
  if (kind <= 0xa0 || kind >= 0xc0) {
    // Longer names: their length is in the next byte.
    if (kind !== 0xd9) return false;
    return isName(head.subarray(at + 2, at + 2 + (head[at + 1] ?? 0)));
  }
  return isName(head.subarray(at + 1, at + 1 + (kind & 31)));
}

const isName = (bytes: Uint8Array): boolean =>
  bytes.length > 0 && bytes.every(byte => byte > 0x20 && byte < 0x7f);
