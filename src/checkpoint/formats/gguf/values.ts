/** Kinds of values in a GGUF file's metadata, by their number in the file (ggml's docs/gguf.md). */
export const valueKinds = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const;
export type ValueKind = (typeof valueKinds)[number];

/** Kinds whose values take the same number of bytes each. */
export type NumberKind = Exclude<ValueKind, 'string' | 'array'>;

/** A 64-bit integer as a number where that is exact. */
const exact = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

/** How a value that is no text and no list is read: its bytes, and its value. */
export const numberReaders: Readonly<
  Record<
    NumberKind,
    readonly [bytes: number, (view: DataView, at: number) => number | bigint | boolean]
  >
> = {
  uint8: [1, (view, at) => view.getUint8(at)],
  int8: [1, (view, at) => view.getInt8(at)],
  uint16: [2, (view, at) => view.getUint16(at, true)],
  int16: [2, (view, at) => view.getInt16(at, true)],
  uint32: [4, (view, at) => view.getUint32(at, true)],
  int32: [4, (view, at) => view.getInt32(at, true)],
  float32: [4, (view, at) => view.getFloat32(at, true)],
  bool: [1, (view, at) => view.getUint8(at) !== 0],
  uint64: [8, (view, at) => exact(view.getBigUint64(at, true))],
  int64: [8, (view, at) => exact(view.getBigInt64(at, true))],
  float64: [8, (view, at) => view.getFloat64(at, true)],
};

/** A list that stays in the file until it is asked for: a vocabulary has 250,000 texts. */
export interface ListInFile {
  readonly of: ValueKind;
  readonly count: number;
  /** Its first byte in the file, and one past its last. */
  readonly begin: number;
  readonly end: number;
}

/** A value of the metadata. */
export type Value = number | bigint | boolean | string | ListInFile;

/** The metadata of a file, in its order. */
export type Values = ReadonlyMap<string, Value>;

/** Tells a list from the other values. */
export const isList = (value: Value | undefined): value is ListInFile => typeof value === 'object';
