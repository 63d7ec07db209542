import { elementCount } from '../../../tensor';
import type { Encoding } from './encodings';
import { entryBytes, textBytes, uint32Bytes, uint64Bytes, type Entry } from './entries';

/** What offsets are multiples of. */
const ALIGNMENT = 32;
const VERSION = 3;

/** A tensor that a file will hold. */
export interface FileTensor {
  readonly name: string;
  /** Slowest axis first. */
  readonly shape: readonly number[];
  readonly encoding: Encoding;
}

/** What stands before the tensors of a file, and where these begin. */
export interface FileHead {
  readonly bytes: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** Bytes that a tensor takes. */
export const bytesOf = ({ shape, encoding }: FileTensor): number =>
  (elementCount(shape) / encoding.elements) * encoding.bytes;

/** The same, with those up to where the next begins. */
export const paddedBytesOf = (tensor: FileTensor): number => padded(bytesOf(tensor));

const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** The head of a GGUF file with these entries and tensors, whose data follow it in their order. */
export function headOf(entries: readonly Entry[], tensors: readonly FileTensor[]): FileHead {
  let offset = 0;
  const described = tensors.flatMap(tensor => {
    const { name, shape, encoding } = tensor;
    const begin = offset;
    offset += paddedBytesOf(tensor);
    return [
      textBytes(name),
      uint32Bytes(shape.length),
      ...[...shape].reverse().map(uint64Bytes),
      uint32Bytes(encoding.number),
      uint64Bytes(begin),
    ];
  });
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    uint32Bytes(VERSION),
    uint64Bytes(tensors.length),
    uint64Bytes(entries.length),
    ...entryBytes(entries),
    ...described,
  ]);
  const bytes = new Uint8Array(padded(head.length));
  bytes.set(head);
  return { bytes, size: bytes.length + offset };
}
