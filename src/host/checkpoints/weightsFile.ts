import { join } from 'node:path';
import { exists } from '../runs/runFolder';

/** The weights of a model's folder, or the index of its shards; undefined where there are none. */
export async function weightsIn(folder: string): Promise<string | undefined> {
  for (const name of ['model.safetensors', 'model.safetensors.index.json']) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  return undefined;
}
