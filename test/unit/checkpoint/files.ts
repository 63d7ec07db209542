import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Absolute path of a Hugging Face fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/hf/${name}`, import.meta.url));
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ligo-checkpoint-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The bytes of a safetensors file with any header at all and `dataBytes` bytes of data. */
export function safetensors(header: unknown, dataBytes = 0): Buffer {
  const json = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  const data = Buffer.alloc(dataBytes, 1);
  return Buffer.concat([length, json, data]);
}

/** A one-dimensional float32 tensor's header entry. */
export function f32(begin: number, count: number): object {
  return { dtype: 'F32', shape: [count], data_offsets: [begin, begin + 4 * count] };
}

/** Writes a file into a folder and returns its path. */
export async function put(folder: string, name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

export { failure as assertUserError } from '../../support/userError';

/** Uniform 32-bit integers from a seed (xorshift), the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}
