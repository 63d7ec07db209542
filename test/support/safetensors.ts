import { readFileSync } from 'node:fs';

/** One tensor of a fixture, fully read. */
export interface FixtureTensor {
  readonly shape: readonly number[];
  /** F32 as it is, I64 narrowed to int32. */
  readonly data: Float32Array | Int32Array;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a small fixture whole; knows only the element types that fixtures use. */
export function readSafetensors(path: string): Map<string, FixtureTensor> {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const start = 8 + headerLength;
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, HeaderEntry>;
  const tensors = new Map<string, FixtureTensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const bytes = file.buffer.slice(
      file.byteOffset + start + offsets[0],
      file.byteOffset + start + offsets[1],
    ) as ArrayBuffer;
    if (dtype === 'F32') tensors.set(name, { shape, data: new Float32Array(bytes) });
    else if (dtype === 'I64') {
      tensors.set(name, { shape, data: Int32Array.from(new BigInt64Array(bytes), Number) });
    } else throw new Error(`${name}: fixtures do not use ${dtype}`);
  }
  return tensors;
}
