import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listCheckpoint } from '../../../src/checkpoint/checkpoint';
import { isReadableType } from '../../../src/checkpoint/elementTypes';
import { inspect } from '../../../src/inspect/inspect';
import { fixture } from '../../support/fixtures';
import { flipBytes, mutateBytes, type Draw } from '../mutate';

/** Reads one hostile input, written into the folder first; whatever it throws must be ours. */
export type ReadOne = (draw: Draw) => Promise<void>;

/** What can be fuzzed, made ready in a folder of its own. */
export interface Target {
  readonly prepare: (folder: string) => Promise<ReadOne>;
}

/** Targets by the names that they have on the command line. */
export type Targets = Readonly<Record<string, Target>>;

/** Fixtures of models that are whole. */
export const families = ['bert', 'roberta', 'gpt2', 'vit', 'deit'] as const;
export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** The header of a safetensors file, and its data. */
export function splitSafetensors(path: string): { header: unknown; data: Buffer } {
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  return { header: JSON.parse(bytes.toString('utf8', 8, end)), data: bytes.subarray(end) };
}

export function joinSafetensors(header: Buffer, data: Buffer, draw: Draw): Buffer {
  const length = Buffer.alloc(8);
  const stated = draw.chance(0.05) ? draw.below(2 ** 31) : header.length;
  length.writeBigUInt64LE(BigInt(stated));
  const whole = Buffer.concat([length, header, data]);
  return draw.chance(0.1) ? mutateBytes(whole, draw) : whole;
}

/** Lists a checkpoint and reads its first tensor. */
export async function look(path: string): Promise<void> {
  await inspect(path);
  const checkpoint = await listCheckpoint(path);
  try {
    const [first] = checkpoint.tensors.keys();
    if (first !== undefined) await checkpoint.readFloat32(first);
  } finally {
    await checkpoint.close();
  }
}

/** Lists a checkpoint, and reads all of its tensors that have values. */
export async function lookAtAll(path: string): Promise<void> {
  await inspect(path);
  const checkpoint = await listCheckpoint(path);
  try {
    for (const { name, type } of checkpoint.tensors.values()) {
      if (isReadableType(type)) await checkpoint.readFloat32(name);
    }
  } finally {
    await checkpoint.close();
  }
}

/** Whole files of a format, each in a copy of its folder, with a few bytes changed. */
export const changedFiles = (paths: readonly string[]): Target => ({
  prepare(folder) {
    const files = paths.map((path, index) => {
      const at = join(folder, String(index));
      cpSync(fixture(`formats/${dirname(path)}`), at, { recursive: true });
      const file = join(at, basename(path));
      return { file, bytes: readFileSync(file) };
    });
    return Promise.resolve(async draw => {
      const { file, bytes } = draw.pick(files);
      writeFileSync(file, draw.chance(0.5) ? mutateBytes(bytes, draw) : flipBytes(bytes, draw));
      await lookAtAll(file);
    });
  },
});
