import { valueKinds, type ValueKind } from '../values';

/** A value of a file's metadata, with the kind it is stored as. */
export type EntryValue =
  | { readonly kind: 'uint32' | 'float32'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly of: 'string'; readonly items: readonly string[] }
  | {
      readonly kind: 'array';
      readonly of: 'int32' | 'float32';
      readonly items: readonly number[];
    };

/** An entry of a file's metadata. */
export type Entry = readonly [key: string, value: EntryValue];

export const uint32 = (value: number): EntryValue => ({ kind: 'uint32', value });
export const float32 = (value: number): EntryValue => ({ kind: 'float32', value });
export const bool = (value: boolean): EntryValue => ({ kind: 'bool', value });
export const text = (value: string): EntryValue => ({ kind: 'string', value });

/** Entries as they stand in a file, one after the other. */
export function entryBytes(entries: readonly Entry[]): Buffer[] {
  return entries.flatMap(([key, value]) => [
    textBytes(key),
    kindBytes(value.kind),
    ...valueBytes(value),
  ]);
}

/** A text with its length before it. */
export function textBytes(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64Bytes(bytes.length), bytes]);
}

export function uint32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint64Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const kindBytes = (kind: ValueKind): Buffer => uint32Bytes(valueKinds.indexOf(kind));

function valueBytes(value: EntryValue): Buffer[] {
  switch (value.kind) {
    case 'uint32':
      return [uint32Bytes(value.value)];
    case 'float32':
      return [Buffer.from(Float32Array.of(value.value).buffer)];
    case 'bool':
      return [Buffer.of(value.value ? 1 : 0)];
    case 'string':
      return [textBytes(value.value)];
    case 'array': {
      const { of, items } = value;
      const head = [kindBytes(of), uint64Bytes(items.length)];
      if (of === 'string') return [...head, ...items.map(textBytes)];
      const numbers = of === 'int32' ? Int32Array.from(items) : Float32Array.from(items);
      return [...head, Buffer.from(numbers.buffer)];
    }
  }
}
