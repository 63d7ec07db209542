import { CorruptFileError, OnlyTensorsError, UnsupportedError, type Note } from '../../../errors';
import { counted } from '../../../format';
import { bytesPerElement, type StoredType } from '../../elementTypes';
import { contiguous } from '../../layouts/contiguous';
import { inPieces } from '../../layouts/pieces';
import { quoted, tensorNameProblem } from '../../names';
import { elementCount, MAX_ELEMENTS, type TensorInfo } from '../../tensor';
import type { FileContents, Format, FormatFile } from '../format';
import { structureOf, type Fail } from '../structure';
import { readModel, type Initializer, type Model } from './model';
import { varints } from './varints';

/** `TensorProto.DataType` of types that are known here. */
const types: ReadonlyMap<number, StoredType> = new Map([
  [1, 'F32'],
  [2, 'U8'],
  [3, 'I8'],
  [4, 'U16'],
  [5, 'I16'],
  [6, 'I32'],
  [7, 'I64'],
  [9, 'BOOL'],
  [10, 'F16'],
  [11, 'F64'],
  [12, 'U32'],
  [13, 'U64'],
  [14, 'C64'],
  [16, 'BF16'],
  [17, 'F8_E4M3'],
  [18, 'F8_E4M3FNUZ'],
  [19, 'F8_E5M2'],
  [20, 'F8_E5M2FNUZ'],
]);

/** Fields of a tensor whose values are the bytes of its elements: floats, raw bytes, doubles. */
const inPlace = new Set([4, 9, 10]);
/** Those that hold one number after the other, of as many bytes as it takes. */
const oneByOne = new Set([5, 7, 11]);

/** ONNX graphs: the tensors that they hold can be looked at, but not be grown. */
export const onnx: Format = {
  id: 'onnx',
  recognises: looksLikeOnnx,
  async open(opened: FormatFile): Promise<FileContents> {
    const { file, read, size } = opened;
    const fail: Fail = (what, options) => {
      throw new CorruptFileError(
        `${file} looks like an ONNX model and cannot be used: ${what}.`,
        'Copy or download the file again, or export the model anew.',
        options,
      );
    };
    const model = await structureOf(readModel(read, size), fail);
    if (model.initializers === undefined) throw otherProtobuf(model, file);
    const tensors: TensorInfo[] = [];
    const passed: string[] = [];
    const names = new Set<string>();
    for (const initializer of model.initializers) {
      // Exporters call what they folded after its place in the graph, as a path from the root.
      const name = initializer.name.replace(/^\/+/, '');
      const problem = tensorNameProblem(name);
      if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
      if (names.has(name)) fail(`tensor ${quoted(name)} stands in it twice`);
      names.add(name);
      const tensor = await tensorOf({ ...initializer, name }, opened, fail);
      if (tensor === undefined) passed.push(name);
      else tensors.push(tensor);
    }
    return {
      metadata: { format: 'onnx', ...(model.producer !== '' && { producer: model.producer }) },
      tensors,
      notes: notesOn(passed, model.sparse),
      problems: [
        new OnlyTensorsError(
          `${file} is an ONNX graph: its initialisers are listed; it cannot be grown, because a graph of operators does not say which model it is and exports rename, fold and turn its weights.`,
          'Grow the checkpoint that it was exported from, then export the grown one.',
        ),
      ],
    };
  },
};

function notesOn(passed: readonly string[], sparse: number): Note[] {
  const notes: Note[] = [];
  if (passed.length > 0) {
    const shown = passed.slice(0, 3).map(quoted).join(', ') + (passed.length > 3 ? ', …' : '');
    notes.push({
      message: `${counted(passed.length, 'tensor')} of text or packed elements are not listed: ${shown}.`,
      remedy: 'Nothing is lost for those that are listed.',
    });
  }
  if (sparse > 0) {
    notes.push({
      message: `${counted(sparse, 'sparse tensor')} are not listed.`,
      remedy: 'Nothing is lost for those that are listed.',
    });
  }
  return notes;
}

/** A tensor with its values in their place; undefined for types that are not known here. */
async function tensorOf(
  { name, dataType, shape, data, external }: Initializer,
  { file, beside }: FormatFile,
  fail: Fail,
): Promise<TensorInfo | undefined> {
  const type = types.get(dataType);
  if (type === undefined) return undefined;
  const tensor = `tensor ${quoted(name)}`;
  const bytes = elementCount(shape) * bytesPerElement(type);
  if (!shape.every(Number.isSafeInteger) || bytes > MAX_ELEMENTS) {
    return fail(`${tensor} has more elements than any file can hold`);
  }
  if (external !== undefined) {
    const other = await beside(external.get('location') ?? '');
    const begin = wholeNumber(external.get('offset') ?? '0');
    const stated = wholeNumber(external.get('length') ?? String(bytes));
    if (stated !== bytes || !(begin + bytes <= other.size)) {
      return fail(`${tensor} does not lie in ${quoted(external.get('location') ?? '')} as it says`);
    }
    const layout = inPieces([{ file: other.file, begin, bytes }], contiguous(type, 0));
    return { name, type, shape, file: other.file, bytes, layout };
  }
  if (data === undefined) {
    if (bytes > 0) return fail(`${tensor} has no values`);
    return { name, type, shape, file, bytes, layout: contiguous(type, 0) };
  }
  const { number, begin, end } = data;
  if (inPlace.has(number) && end - begin === bytes) {
    return { name, type, shape, file, bytes, layout: contiguous(type, begin) };
  }
  const count = elementCount(shape);
  if (oneByOne.has(number) && count <= end - begin) {
    return {
      name,
      type,
      shape,
      file,
      bytes: end - begin,
      layout: varints(type, { begin, end, what: `${file}: ${tensor}` }),
    };
  }
  return fail(
    `${tensor} of shape [${shape.join(', ')}] and type ${type} does not take the ${end - begin} bytes that it has`,
  );
}

const wholeNumber = (text: string): number => (/^\d{1,15}$/.test(text) ? Number(text) : NaN);

/** An ONNX file is a protobuf whose first fields are the IR version and the producer or graph. */
function looksLikeOnnx(head: Uint8Array): boolean {
  const [first, version, next] = head;
  return (
    first === 0x08 &&
    version !== undefined &&
    version > 0 &&
    version < 0x20 &&
    next !== undefined &&
    [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(next)
  );
}

/** Files of others begin alike: they have their own fields in place of a graph. */
function otherProtobuf({ fields }: Model, file: string): UnsupportedError {
  if ([...fields].some(number => number >= 200)) {
    return new UnsupportedError(
      `${file} is a Core ML model, which holds a graph with packed weights.`,
      'Grow the checkpoint that it was converted from, then convert the grown one.',
    );
  }
  return new UnsupportedError(
    `${file} is a protobuf without a graph of ONNX: a TensorFlow SavedModel, perhaps, whose values lie in its folder variables.`,
    'Load it in TensorFlow and save its weights as safetensors, or grow the checkpoint it was made from.',
  );
}
