import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '../../src/checkpoint/checkpoint';

/** Absolute path of a file or folder in test/fixtures. */
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** Absolute path of a file or folder in examples. */
export const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

/** A parsed JSON fixture. */
export const fixtureJson = <T>(name: string): T =>
  JSON.parse(readFileSync(fixture(name), 'utf8')) as T;

/** Every tensor of a safetensors fixture as float32, by name. */
export async function fixtureTensors(name: string): Promise<Record<string, Float32Array>> {
  const checkpoint = await openCheckpoint(fixture(name));
  try {
    const entries: [string, Float32Array][] = [];
    for (const tensor of checkpoint.tensors.keys()) {
      entries.push([tensor, await checkpoint.readFloat32(tensor)]);
    }
    return Object.fromEntries(entries);
  } finally {
    await checkpoint.close();
  }
}
