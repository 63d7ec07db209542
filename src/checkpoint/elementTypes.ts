import { UnsupportedError } from '../errors';
import { allFinite } from '../finite';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from './halfFloats';

/** Element types whose values can be read as float32. */
export type ReadableType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** Element types that safetensors lists but that have no values here: quantised, packed, complex. */
export type OpaqueType =
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'F4'
  | 'C64';

/** Every element type a safetensors file may hold. */
export type StoredType = ReadableType | OpaqueType;

/**
 * Bits of one element. The order is the one the safetensors library sorts by when it writes
 * (its `Dtype` enumeration, backwards), so that data of larger alignment comes first.
 */
const bitsOfType: ReadonlyMap<StoredType, number> = new Map([
  ['U64', 64],
  ['I64', 64],
  ['F64', 64],
  ['C64', 64],
  ['F32', 32],
  ['U32', 32],
  ['I32', 32],
  ['BF16', 16],
  ['F16', 16],
  ['U16', 16],
  ['I16', 16],
  ['F8_E5M2FNUZ', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['I8', 8],
  ['U8', 8],
  ['F6_E3M2', 6],
  ['F6_E2M3', 6],
  ['F4', 4],
  ['BOOL', 8],
] satisfies [StoredType, number][]);

const writingOrder: ReadonlyMap<StoredType, number> = new Map(
  [...bitsOfType.keys()].map((type, rank) => [type, rank]),
);

/** Whether a word out of a file names an element type. */
export function isStoredType(word: unknown): word is StoredType {
  return bitsOfType.has(word as StoredType);
}

/** Bytes one element takes on disk; a fraction for the packed kinds (F4, F6). */
export function bytesPerElement(type: StoredType): number {
  const bits = bitsOfType.get(type);
  if (bits === undefined) throw new Error(`"${type}" is not an element type`);
  return bits / 8;
}

/** Place of a type among a file's tensors as the safetensors library writes them, 0 first. */
export function writingRank(type: StoredType): number {
  return writingOrder.get(type) ?? writingOrder.size;
}

const opaqueTypes: ReadonlySet<StoredType> = new Set<OpaqueType>([
  'F8_E5M2',
  'F8_E4M3',
  'F8_E8M0',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'F6_E2M3',
  'F6_E3M2',
  'F4',
  'C64',
]);

/** Whether `toFloat32` can read the values of a type. */
export function isReadableType(type: StoredType): type is ReadableType {
  return !opaqueTypes.has(type);
}

/** The error for asking values of a type that has none here. */
export function noValues(type: StoredType): UnsupportedError {
  return new UnsupportedError(
    `Tensors of element type ${type} cannot be read as numbers here.`,
    'Convert the checkpoint to float32, float16 or bfloat16 first.',
  );
}

/** The bytes at an offset that typed arrays accept; copied only when they are not aligned. */
function aligned(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.byteLength % size !== 0) {
    throw new Error(`${bytes.byteLength} bytes are no whole number of ${size}-byte elements`);
  }
  // A Buffer's own slice() would be a view at the same odd offset.
  return bytes.byteOffset % size === 0 ? bytes : Uint8Array.prototype.slice.call(bytes);
}

/**
 * 64-bit integers to float32. The value goes through a double, so the bits a double cannot hold are
 * first folded into one sticky bit: otherwise it would be rounded twice, and some wrongly.
 */
function integer64ToFloat32(low: Uint32Array, high: Int32Array | Uint32Array): Float32Array {
  const out = new Float32Array(high.length / 2);
  for (let i = 0; i < out.length; i++) {
    const upper = high[2 * i + 1]!;
    let lower = low[2 * i]!;
    if (upper >= 0x200000 || upper < -0x200000) {
      lower = ((lower & 0xfffff800) | ((lower & 0x7ff) === 0 ? 0 : 0x800)) >>> 0;
    }
    out[i] = upper * 4294967296 + lower;
  }
  return out;
}

/**
 * Reads the elements of a tensor as float32, whatever they are stored as; always a fresh array.
 * Float64 and integers too large for float32 are rounded to nearest even; bool becomes 0 or 1.
 * Files are little endian, and so are all machines this runs on. @throws UnsupportedError for
 * kinds without values (F8 …).
 */
export function toFloat32(bytes: Uint8Array, type: StoredType): Float32Array {
  if (!isReadableType(type)) throw noValues(type);
  const source = aligned(bytes, bytesPerElement(type));
  const { buffer, byteOffset, byteLength } = source;
  switch (type) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, byteLength / 4).slice();
    case 'F16':
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'F64':
      return new Float32Array(new Float64Array(buffer, byteOffset, byteLength / 8));
    case 'I64':
    case 'U64': {
      const low = new Uint32Array(buffer, byteOffset, byteLength / 4);
      const signed = type === 'I64';
      return integer64ToFloat32(
        low,
        signed ? new Int32Array(buffer, byteOffset, byteLength / 4) : low,
      );
    }
    case 'I32':
      return new Float32Array(new Int32Array(buffer, byteOffset, byteLength / 4));
    case 'U32':
      return new Float32Array(new Uint32Array(buffer, byteOffset, byteLength / 4));
    case 'I16':
      return new Float32Array(new Int16Array(buffer, byteOffset, byteLength / 2));
    case 'U16':
      return new Float32Array(new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'I8':
      return new Float32Array(new Int8Array(buffer, byteOffset, byteLength));
    case 'U8':
      return new Float32Array(source);
    case 'BOOL': {
      const out = new Float32Array(byteLength);
      for (let i = 0; i < byteLength; i++) out[i] = source[i] === 0 ? 0 : 1;
      return out;
    }
  }
}

/**
 * Reads the elements of a tensor as numbers, exactly: but 64-bit integers beyond 2^53, which are rounded
 * to float64. @throws UnsupportedError for kinds without values (F8 …).
 */
export function toNumbers(bytes: Uint8Array, type: StoredType): Float32Array | Float64Array {
  if (!isReadableType(type)) throw noValues(type);
  const { buffer, byteOffset, byteLength } = aligned(bytes, bytesPerElement(type));
  switch (type) {
    case 'F64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'I64':
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
    case 'U64':
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, byteLength / 8), Number);
    case 'I32':
      return new Float64Array(new Int32Array(buffer, byteOffset, byteLength / 4));
    case 'U32':
      return new Float64Array(new Uint32Array(buffer, byteOffset, byteLength / 4));
    default:
      return toFloat32(bytes, type);
  }
}

/**
 * Stores float32 values as a floating-point type, rounded to nearest even; always fresh bytes.
 * @throws UnsupportedError for the others: integers and bool are copied as bytes, never computed.
 */
export function fromFloat32(values: Float32Array, type: StoredType): Uint8Array {
  switch (type) {
    case 'F32':
      return new Uint8Array(values.slice().buffer);
    case 'F16':
      return new Uint8Array(float32ToFloat16(values).buffer);
    case 'BF16':
      return new Uint8Array(float32ToBfloat16(values).buffer);
    case 'F64':
      return new Uint8Array(new Float64Array(values).buffer);
    default:
      throw new UnsupportedError(
        `Computed values cannot be stored as ${type}.`,
        'Choose float32, float16, bfloat16 or float64.',
      );
  }
}

/** Whether all values of stored floating-point bytes are finite; true for other types. */
export function areFinite(
  { buffer, byteOffset, byteLength }: Uint8Array,
  type: StoredType,
): boolean {
  switch (type) {
    case 'F16':
      return noneHasAll(0x7c00, new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'BF16':
      return noneHasAll(0x7f80, new Uint16Array(buffer, byteOffset, byteLength / 2));
    case 'F32':
      return allFinite(new Float32Array(buffer, byteOffset, byteLength / 4));
    case 'F64':
      return allFinite(new Float64Array(buffer, byteOffset, byteLength / 8));
    default:
      return true;
  }
}

/** Whether each of the values lacks one of the bits: those of the exponent are all set where it is not finite. */
function noneHasAll(bits: number, values: Uint16Array): boolean {
  for (let index = 0; index < values.length; index++) {
    if ((values[index]! & bits) === bits) return false;
  }
  return true;
}
