import type { StoredType } from '../../elementTypes';
import { arrayMagic } from './array';

/** NumPy's names of the element types it has. */
const names: Partial<Record<StoredType, string>> = {
  F64: '<f8',
  F32: '<f4',
  F16: '<f2',
  I64: '<i8',
  I32: '<i4',
  I16: '<i2',
  I8: '|i1',
  U64: '<u8',
  U32: '<u4',
  U16: '<u2',
  U8: '|u1',
  BOOL: '|b1',
  C64: '<c8',
};

/** Whether NumPy has an element type. */
export const isArrayType = (type: StoredType): boolean => names[type] !== undefined;

/** Bytes that the elements of an array are aligned to in a file. */
const ALIGNMENT = 64;
/** Magic, version and the length of what follows. */
const PREFIX_BYTES = 10;
/** Digits of the largest size: NumPy leaves room for it, so that the first axis can grow in place. */
const LONGEST_SIZE = 21;

/** What stands before the elements of an array in row-major order in a .npy file of version 1.0, as NumPy writes it. */
export function arrayHeader(type: StoredType, shape: readonly number[]): Uint8Array {
  const name = names[type];
  if (name === undefined) throw new Error(`NumPy has no element type ${type}`);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const fields = `{'descr': '${name}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const spare = shape.length === 0 ? 0 : LONGEST_SIZE - String(shape[0]).length;
  const literal = fields + ' '.repeat(spare);
  const length = Math.ceil((PREFIX_BYTES + literal.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(length).fill(' '.charCodeAt(0));
  header.set(arrayMagic);
  header.set([1, 0], arrayMagic.length);
  new DataView(header.buffer).setUint16(8, length - PREFIX_BYTES, true);
  header.set(new TextEncoder().encode(literal), PREFIX_BYTES);
  header[length - 1] = '\n'.charCodeAt(0);
  return header;
}
