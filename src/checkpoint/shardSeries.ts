import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import { explainReadError } from '../files';
import { MAX_SHARDS } from './shardIndex';
import { partEnds, shardEnds } from './weightFiles';

/** Shards whose names tell that they belong together: `model-00001-of-00003.safetensors`. */
export interface ShardSeries {
  /** File names of the shards that are there, in their order. */
  readonly shards: readonly string[];
  /** File names of those that are not, as far as they are worth naming. */
  readonly missing: readonly string[];
  /** How many there should be. */
  readonly count: number;
  /** What the index that names them would be called. */
  readonly index: string;
  readonly hasIndex: boolean;
}

/** A shard's name: what comes before its number, how many there are, how it ends. */
function partsOf(
  name: string,
  ends = shardEnds,
): { base: string; of: string; end: string } | undefined {
  const end = ends.find(candidate => name.endsWith(candidate));
  if (end === undefined) return undefined;
  const match = /^(.*)-\d{5}-of-(\d{5})$/.exec(name.slice(0, -end.length));
  return match ? { base: match[1]!, of: match[2]!, end } : undefined;
}

/** The series that a file's name makes it part of, as its folder holds it. @throws UserError */
export async function shardSeriesOf(file: string): Promise<ShardSeries | undefined> {
  const parts = partsOf(basename(file));
  if (!parts) return undefined;
  const { base, of, end } = parts;
  const count = Number(of);
  if (count < 1 || count > MAX_SHARDS) return undefined;
  const folder = dirname(file);
  let names: Set<string>;
  try {
    names = new Set(await readdir(folder));
  } catch (error) {
    throw explainReadError(error, folder);
  }
  const all = Array.from(
    { length: count },
    (_, i) => `${base}-${String(i + 1).padStart(5, '0')}-of-${of}${end}`,
  );
  const index = `${base}${end}.index.json`;
  return {
    shards: all.filter(name => names.has(name)),
    missing: all.filter(name => !names.has(name)),
    count,
    index,
    hasIndex: names.has(index),
  };
}

/** Whether all of these files are shards of one series. */
export function areOneSeries(names: readonly string[]): boolean {
  const series = names.map(name => {
    const parts = partsOf(name, partEnds);
    return parts ? `${parts.base} of ${parts.of}${parts.end}` : undefined;
  });
  return series[0] !== undefined && new Set(series).size === 1;
}
