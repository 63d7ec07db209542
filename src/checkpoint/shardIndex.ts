import { CorruptFileError } from '../errors';
import { isJsonObject, parseJsonObject, type JsonObject } from './jsonText';
import { quoted, shardNameProblem, tensorNameProblem } from './names';
import { MAX_TENSORS } from './tensor';

/** Longest index file, in bytes; the largest published ones have about 10 million. */
export const MAX_INDEX_BYTES = 100_000_000;
/** Most shards of one checkpoint; the largest published ones have a few hundred. */
export const MAX_SHARDS = 10_000;
/** An index is two levels deep; its free-form metadata may nest a little. */
const MAX_DEPTH = 16;

/** The index of a sharded checkpoint. */
export interface ShardIndex {
  /** Names of the shard files relative to the index, in ascending order. */
  readonly shards: readonly string[];
  /** For each tensor the shard that holds it. */
  readonly shardOfTensor: ReadonlyMap<string, string>;
  /** Bytes of all tensors together as the index states them, whatever that is. */
  readonly totalSize: unknown;
}

const SAVE_AGAIN = 'Download the index and its shards again, or save the model anew.';

/**
 * Parses and validates the text of a `*.index.json`. Names in it can neither leave the
 * folder nor be anything but plain. @throws CorruptFileError
 */
export function parseShardIndex(text: string, file: string): ShardIndex {
  const fail = (what: string, remedy = SAVE_AGAIN, options?: ErrorOptions): never => {
    throw new CorruptFileError(`${file}: ${what}.`, remedy, options);
  };
  let json: JsonObject;
  try {
    json = parseJsonObject(text, { depth: MAX_DEPTH, keys: MAX_TENSORS });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return fail(`the index cannot be used: ${reason}`, SAVE_AGAIN, { cause });
  }
  const { weight_map: weightMap, metadata } = json;
  if (weightMap === undefined) {
    return fail(
      'it is JSON, but not the index of a sharded checkpoint (it has no weight_map)',
      'Open the folder that holds the checkpoint, the file of its weights, or its .index.json.',
    );
  }
  if (!isJsonObject(weightMap)) return fail('its weight_map is not an object');
  const shardOfTensor = new Map<string, string>();
  for (const [name, shard] of Object.entries(weightMap)) {
    const nameProblem = tensorNameProblem(name);
    if (nameProblem !== undefined) fail(`the tensor name ${quoted(name)} ${nameProblem}`);
    if (typeof shard !== 'string') return fail(`tensor ${quoted(name)} has no shard name`);
    const problem = shardNameProblem(shard);
    if (problem !== undefined) fail(`the shard name ${quoted(shard)} ${problem}`);
    shardOfTensor.set(name, shard);
  }
  if (shardOfTensor.size === 0) fail('its weight_map is empty');
  const shards = [...new Set(shardOfTensor.values())].sort();
  if (shards.length > MAX_SHARDS) {
    fail(`it names ${shards.length} shards; at most ${MAX_SHARDS} are allowed`);
  }
  // Free-form: transformers writes it, and nothing reads it.
  const totalSize = isJsonObject(metadata) ? metadata['total_size'] : undefined;
  return { shards, shardOfTensor, totalSize };
}
