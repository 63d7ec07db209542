import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { createFile, type Write } from './createFile';
import { areFinite, fromFloat32, type StoredType } from './elementTypes';
import { UserError } from '../errors';
import { allFinite } from '../finite';
import { quoted } from './names';
import { elementCount } from './tensor';
import { checkTensors, headerFor, inWritingOrder, planShards, tensorBytes } from './shardPlan';
import { MAX_SHARDS } from './shardIndex';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** Bytes of a shard's tensors at most: transformers 5 writes "50GB" shards, in decimal units. */
const DEFAULT_MAX_SHARD_BYTES = 50_000_000_000;
/** Elements converted at once, so that a large tensor is not in memory twice. */
const CONVERTED_ELEMENTS = 1 << 22;

/** A tensor to write; its values are asked for when their turn comes. */
export interface TensorToWrite {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Values to be stored as `type`, or bytes that are stored so already, all at once or part by part. */
  readonly values: () => Promise<Float32Array | Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface WriteOptions {
  /** What the files are called before their suffix; 'model'. */
  readonly baseName?: string;
  /** Bytes of tensors in one file at most. */
  readonly maxShardBytes?: number;
  /** Refuse values that are no numbers, or none of the element type they are stored as. */
  readonly finite?: boolean;
  /** Free text for the headers; what transformers writes by default. */
  readonly metadata?: Record<string, string>;
}

/**
 * Writes a checkpoint as transformers does: one safetensors file, or shards and their index when
 * the tensors exceed `maxShardBytes`. Only one tensor's values are in memory at a time, or a part of them. Returns the
 * paths written (an index last) and the bytes of all tensors. On failure the files are removed.
 * @throws UserError when the disk refuses, or values are not finite although they should be; Error when values do not match their shape, or a file
 * exists already
 */
export async function writeCheckpoint(
  directory: string,
  tensors: readonly TensorToWrite[],
  options: WriteOptions = {},
): Promise<{ files: string[]; bytes: number }> {
  const { baseName = 'model', maxShardBytes = DEFAULT_MAX_SHARD_BYTES } = options;
  const { metadata = { format: 'pt' }, finite = false } = options;
  checkTensors(tensors);
  if (!(maxShardBytes > 0)) throw new Error(`shards of ${maxShardBytes} bytes`);
  const shards = planShards(tensors, maxShardBytes);
  if (shards.length > MAX_SHARDS) throw new Error(`${shards.length} shards are too many`);
  const files: string[] = [];
  const overflows: Overflow[] = [];
  try {
    const shardOfTensor = new Map<string, string>();
    for (const [i, shard] of shards.entries()) {
      const number = (n: number): string => String(n).padStart(5, '0');
      const suffix = shards.length === 1 ? '' : `-${number(i + 1)}-of-${number(shards.length)}`;
      const name = `${baseName}${suffix}.safetensors`;
      for (const tensor of shard) shardOfTensor.set(tensor.name, name);
      await createFile(join(directory, name), files, async write => {
        overflows.push(...(await writeShard(write, shard, metadata)));
      });
    }
    if (finite && overflows.length > 0) throw notFinite(overflows);
    const bytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    if (shards.length > 1) {
      const text = indexText(tensors, bytes, shardOfTensor);
      const file = join(directory, `${baseName}.safetensors.index.json`);
      await createFile(file, files, write => write(Buffer.from(text)));
    }
    return { files, bytes };
  } catch (error) {
    for (const file of files) await rm(file, { force: true });
    throw error;
  }
}

/** Writes a file; returns the tensors with values that are not finite as they were stored. */
async function writeShard(
  write: Write,
  shard: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Promise<Overflow[]> {
  const overflows: Overflow[] = [];
  const ordered = inWritingOrder(shard);
  await write(headerFor(ordered, metadata));
  for (const tensor of ordered) {
    const given = tensor.values();
    if (Symbol.asyncIterator in given) {
      let bytes = 0;
      for await (const part of given) {
        bytes += part.byteLength;
        await write(part);
      }
      checkLength(tensor, 'bytes', bytes, tensorBytes(tensor));
      continue;
    }
    const values = await given;
    if (values instanceof Float32Array) {
      checkLength(tensor, 'values', values.length, elementCount(tensor.shape));
      let found = false;
      for (let begin = 0; begin < values.length; begin += CONVERTED_ELEMENTS) {
        const some = values.subarray(begin, begin + CONVERTED_ELEMENTS);
        const stored = fromFloat32(some, tensor.type);
        found ||= !areFinite(stored, tensor.type);
        await write(stored);
      }
      if (found) overflows.push({ ...tensor, computed: allFinite(values) });
    } else {
      checkLength(tensor, 'bytes', values.byteLength, tensorBytes(tensor));
      await write(values);
    }
  }
  return overflows;
}

/** A tensor that was stored with infinities or values that are no numbers. */
interface Overflow extends Pick<TensorToWrite, 'name' | 'type'> {
  /** Whether its values were finite before they were stored. */
  readonly computed: boolean;
}

function notFinite(overflows: readonly Overflow[]): UserError {
  const names = overflows.slice(0, 3).map(({ name }) => quoted(name));
  const more = overflows.length > 3 ? ` and ${overflows.length - 3} more` : '';
  const tensors = `${names.join(', ')}${more}`;
  const have = overflows.length === 1 ? 'has values' : 'have values';
  const types = [...new Set(overflows.map(({ type }) => type))].join(', ');
  return overflows.every(({ computed }) => computed)
    ? new UserError(
        `${tensors} ${have} too large for their element type (${types}); nothing was written.`,
        'Convert the source to bfloat16 or float32 first, or check the operators: they may be far too large.',
      )
    : new UserError(
        `${tensors} ${have} that are no numbers; nothing was written.`,
        advise`Lower the learning rate${by('learningRate')}, or check the operators: they may be far too large.`,
      );
}

function checkLength(tensor: TensorToWrite, unit: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw new Error(
    `tensor ${tensor.name} [${tensor.shape.join(', ')}] got ${actual} ${unit} instead of ${expected}`,
  );
}

/** The index as Python's json.dumps writes it: sorted, two spaces, ASCII only, a final newline. */
function indexText(
  tensors: readonly TensorToWrite[],
  bytes: number,
  shardOfTensor: ReadonlyMap<string, string>,
): string {
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const byName = [...shardOfTensor].sort(([a], [b]) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  // Written by hand: an object would put names that are integers first.
  const entries = byName.map(([name, shard]) => `    ${ascii(name)}: ${ascii(shard)}`);
  return [
    '{',
    '  "metadata": {',
    `    "total_parameters": ${parameters},`,
    `    "total_size": ${bytes}`,
    '  },',
    '  "weight_map": {',
    entries.join(',\n'),
    '  }',
    '}',
    '',
  ].join('\n');
}

function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
