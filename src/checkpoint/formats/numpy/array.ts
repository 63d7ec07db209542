import { CorruptFileError } from '../../../errors';
import { bytesPerElement, type StoredType } from '../../elementTypes';
import { contiguous } from '../../layouts/contiguous';
import type { Layout } from '../../layouts/layout';
import { permuted } from '../../layouts/permuted';
import { swapped } from '../../layouts/swapped';
import { quoted } from '../../names';
import { elementCount, MAX_ELEMENTS, MAX_RANK } from '../../tensor';
import { parseLiteral, type Literal } from './literal';

/** Longest header of an array, in bytes: NumPy's own limit. */
const MAX_HEADER_BYTES = 10_000;
/** Bytes that hold any header. */
export const ARRAY_HEAD_BYTES = 12 + MAX_HEADER_BYTES;

export const arrayMagic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** An array as its header describes it. */
export interface ArrayHeader {
  readonly type: StoredType;
  /** NumPy's name of the type where elements are not as they are read: of the other byte order. */
  readonly storedAs?: string;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly bytes: number;
  /** Where the elements begin, and where they end. */
  readonly begin: number;
  readonly end: number;
  readonly layout: Layout;
}

/** Why an array has no values here, as the end of a sentence. */
export interface NoArray {
  readonly because: string;
}

const types: ReadonlyMap<string, StoredType> = new Map([
  ['f8', 'F64'],
  ['f4', 'F32'],
  ['f2', 'F16'],
  ['i8', 'I64'],
  ['i4', 'I32'],
  ['i2', 'I16'],
  ['i1', 'I8'],
  ['u8', 'U64'],
  ['u4', 'U32'],
  ['u2', 'U16'],
  ['u1', 'U8'],
  ['b1', 'BOOL'],
  ['c8', 'C64'],
]);

/**
 * Reads the header of a NumPy array: a few bytes, and a Python literal that is parsed, never run.
 * @param head the first bytes of what holds it, `ARRAY_HEAD_BYTES` where there are that many
 * @param size bytes of what holds it
 * @param what how messages begin
 * @throws CorruptFileError
 */
export function readArrayHeader(
  head: Uint8Array,
  size: number,
  what: string,
): ArrayHeader | NoArray {
  const fail = (problem: string, options?: ErrorOptions): never => {
    throw new CorruptFileError(
      `${what} ${problem}.`,
      'Copy or download the file again; if that does not help, save the arrays anew.',
      options,
    );
  };
  const [major = 0] = head.subarray(6);
  const literalBegin = major === 1 ? 10 : 12;
  if (!Buffer.from(arrayMagic).equals(head.subarray(0, 6)) || head.length < literalBegin) {
    return fail('is no NumPy array, or was cut off');
  }
  if (major < 1 || major > 3) return fail(`is a NumPy array of version ${major}; 1 to 3 are known`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) {
    return fail(`states a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed`);
  }
  const begin = literalBegin + length;
  if (begin > head.length) return fail('is truncated: its header is not whole');
  let header: Literal;
  try {
    const text = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(
      head.subarray(literalBegin, begin),
    );
    header = parseLiteral(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return fail(`has a header that cannot be used: ${reason}`, { cause });
  }
  const [descr, fortran, shape] = fields(header, fail);
  const type = readType(descr);
  if ('because' in type) return type;
  const count = elementCount(shape);
  const bytes = count * bytesPerElement(type.type);
  if (bytes > MAX_ELEMENTS) {
    return fail(`of shape [${shape.join(', ')}] has more elements than any file can hold`);
  }
  const end = begin + bytes;
  if (end > size) return fail(`is truncated: it ends at byte ${end} of ${size}`);
  const { turned } = type;
  const lying = contiguous(type.type, begin);
  const inOrder = turned === undefined ? lying : swapped(lying, turned.size);
  const layout = fortran ? inFortranOrder(inOrder, type.type, shape) : inOrder;
  const storedAs = turned === undefined ? {} : { storedAs: turned.name };
  return { type: type.type, ...storedAs, shape, bytes, begin, end, layout };
}

function fields(
  header: Literal,
  fail: (problem: string) => never,
): readonly [descr: Literal, fortran: boolean, shape: readonly number[]] {
  if (!(header instanceof Map)) return fail('has a header that is no dictionary');
  const [descr, fortran, shape] = ['descr', 'fortran_order', 'shape'].map(
    key => header.get(key) as Literal | undefined,
  );
  if (descr === undefined || header.size !== 3) {
    return fail('has a header that is not descr, fortran_order and shape');
  }
  if (typeof fortran !== 'boolean') return fail('has no usable fortran_order in its header');
  if (!isShape(shape)) {
    return fail(`has no usable shape: at most ${MAX_RANK} whole numbers from 0 up`);
  }
  return [descr, fortran, shape];
}

const isShape = (shape: Literal | undefined): shape is readonly number[] =>
  Array.isArray(shape) &&
  shape.length <= MAX_RANK &&
  shape.every(size => Number.isSafeInteger(size) && (size as number) >= 0);

interface ArrayType {
  readonly type: StoredType;
  /** Bytes of numbers that stand the other way round, and what NumPy calls them, where they do. */
  readonly turned?: { readonly size: number; readonly name: string };
}

function readType(descr: Literal): ArrayType | NoArray {
  if (typeof descr !== 'string') return { because: 'holds records of several fields' };
  const [, order = '', name = ''] = /^([<>|=])(.*)$/.exec(descr) ?? [];
  const type = types.get(name);
  if (type !== undefined) {
    const size = name === 'c8' ? 4 : bytesPerElement(type);
    return order === '>' && size > 1 ? { type, turned: { size, name: descr } } : { type };
  }
  if (name.startsWith('O')) {
    return { because: 'holds Python objects, which are pickles and never opened here' };
  }
  if (name === 'V2') {
    return {
      because: 'holds elements of 2 bytes without a type, as NumPy saves bfloat16',
    };
  }
  return { because: `holds elements of type ${quoted(descr)}, which are no numbers here` };
}

/** An array whose first axis is the one that changes fastest. */
function inFortranOrder(stored: Layout, type: StoredType, shape: readonly number[]): Layout {
  const axes = shape.map((_, axis) => shape.length - 1 - axis);
  return permuted(stored, bytesPerElement(type), [...shape].reverse(), axes);
}
