import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import { explainReadError } from '../files';
import { MAX_SHARDS } from './shardIndex';

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

const shardName = /^(.*)-(\d{5})-of-(\d{5})\.safetensors$/;

/** The series that a file's name makes it part of, as its folder holds it. @throws UserError */
export async function shardSeriesOf(file: string): Promise<ShardSeries | undefined> {
  const match = shardName.exec(basename(file));
  if (!match) return undefined;
  const [, base, , of] = match as unknown as [string, string, string, string];
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
    (_, i) => `${base}-${String(i + 1).padStart(5, '0')}-of-${of}.safetensors`,
  );
  const index = `${base}.safetensors.index.json`;
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
    const match = shardName.exec(name);
    return match ? `${match[1]} of ${match[3]}` : undefined;
  });
  return series[0] !== undefined && new Set(series).size === 1;
}
