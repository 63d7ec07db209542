import { bytesPerElement, writingRank, type StoredType } from './elementTypes';
import { tensorNameProblem } from './names';
import { MAX_HEADER_BYTES } from './formats/safetensors/header';
import { elementCount, MAX_RANK } from './tensor';

/** What a writer must know of a tensor before it has the values. */
export interface TensorDescription {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
}

/** Bytes a tensor's values take. */
export function tensorBytes({ type, shape }: TensorDescription): number {
  return elementCount(shape) * bytesPerElement(type);
}

/** Holds the writer to what the reader accepts. @throws Error, a defect of the caller */
export function checkTensors(tensors: readonly TensorDescription[]): void {
  const names = new Set<string>();
  for (const tensor of tensors) {
    const { name, shape } = tensor;
    const problem = name === '__metadata__' ? 'is reserved' : tensorNameProblem(name);
    if (problem !== undefined) throw new Error(`tensor name ${JSON.stringify(name)} ${problem}`);
    if (names.has(name)) throw new Error(`two tensors are named ${name}`);
    names.add(name);
    const whole = shape.every(dimension => Number.isSafeInteger(dimension) && dimension >= 0);
    if (!whole || shape.length > MAX_RANK || !Number.isSafeInteger(tensorBytes(tensor))) {
      throw new Error(`tensor ${name} has an impossible shape [${shape.join(', ')}]`);
    }
  }
}

/**
 * Divides tensors over shards as Hugging Face's libraries do: in the order given, a new shard when
 * the next tensor would not fit, one of its own for a tensor larger than the limit.
 */
export function planShards<T extends TensorDescription>(
  tensors: readonly T[],
  maxShardBytes: number,
): T[][] {
  const shards: T[][] = [];
  let current: T[] = [];
  let currentBytes = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (bytes > maxShardBytes) {
      shards.push([tensor]);
      continue;
    }
    if (currentBytes + bytes > maxShardBytes) {
      shards.push(current);
      current = [];
      currentBytes = 0;
    }
    current.push(tensor);
    currentBytes += bytes;
  }
  if (current.length > 0 || shards.length === 0) shards.push(current);
  return shards;
}

/** The order of the safetensors library: larger element types first, then by the bytes of the name. */
export function inWritingOrder<T extends TensorDescription>(tensors: readonly T[]): T[] {
  return [...tensors].sort(
    (a, b) =>
      writingRank(a.type) - writingRank(b.type) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
}

/**
 * The first bytes of a safetensors file, up to the data: length and JSON, padded with spaces to a
 * multiple of eight. Byte for byte what the safetensors library writes for the same tensors.
 * @throws Error when the header would be longer than readers accept
 */
export function headerFor(
  ordered: readonly TensorDescription[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let offset = 0;
  for (const tensor of ordered) {
    const end = offset + tensorBytes(tensor);
    const entry = { dtype: tensor.type, shape: tensor.shape, data_offsets: [offset, end] };
    entries.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = Buffer.from(`{${entries.join(',')}}`);
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > MAX_HEADER_BYTES) throw new Error(`a header of ${length} bytes is too long`);
  const bytes = Buffer.alloc(8 + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length), 0);
  json.copy(bytes, 8);
  return bytes;
}
