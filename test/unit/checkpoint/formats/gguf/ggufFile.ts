import { fileURLToPath } from 'node:url';

/** Absolute path of a GGUF fixture. */
export const ggufFixture = (name: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/formats/gguf/${name}`, import.meta.url));

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

/** A text as a file has it: its length in bytes, then the bytes. */
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
};

/** Values with the numbers of their kinds in front. */
export const asText = (value: string | Buffer): Buffer => Buffer.concat([u32(8), text(value)]);
export const asU32 = (value: number): Buffer => Buffer.concat([u32(4), u32(value)]);
export const asI32 = (value: number): Buffer => Buffer.concat([u32(5), u32(value >>> 0)]);
export const asU64 = (value: number | bigint): Buffer => Buffer.concat([u32(10), u64(value)]);
export const asTexts = (values: readonly string[]): Buffer =>
  Buffer.concat([u32(9), u32(8), u64(values.length), ...values.map(text)]);

/** A tensor as its header describes it. */
export interface Described {
  readonly name: string | Buffer;
  /** Fastest axis first. */
  readonly axes: readonly (number | bigint)[];
  /** Default 0, float32. */
  readonly kind?: number;
  readonly offset?: number | bigint;
}

export interface GgufParts {
  readonly version?: number | Buffer;
  readonly tensorCount?: number | bigint;
  readonly keyCount?: number | bigint;
  readonly values?: readonly (readonly [key: string, value: Buffer])[];
  readonly tensors?: readonly Described[];
  readonly data?: Buffer;
  /** What the data's first byte is a multiple of. */
  readonly alignment?: number;
}

/** The bytes of a GGUF file, hostile or not. */
export function gguf({
  version = 3,
  values = [],
  tensors = [],
  tensorCount = tensors.length,
  keyCount = values.length,
  data = Buffer.alloc(0),
  alignment = 32,
}: GgufParts): Buffer {
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    Buffer.isBuffer(version) ? version : u32(version),
    u64(tensorCount),
    u64(keyCount),
    ...values.flatMap(([key, value]) => [text(key), value]),
    ...tensors.flatMap(({ name, axes, kind = 0, offset = 0 }) => [
      text(name),
      u32(axes.length),
      ...axes.map(u64),
      u32(kind),
      u64(offset),
    ]),
  ]);
  const padding = Buffer.alloc((alignment - (header.length % alignment)) % alignment);
  return Buffer.concat([header, padding, data]);
}
