import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openEngine } from '../../../src/engine';
import type { RunEvent } from '../../../src/protocol/events';
import { eventInWords, type RunContext, type ToldEvent } from '../../../src/run/context';
import { commandLine } from '../../../src/remedy/commandLine';
import type { DataOptions } from '../../../src/run/open/openData';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { defaultLigoSettings, type LigoSettings } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { uniform } from '../../support/random';
import { readSafetensors, type FixtureTensor } from '../../support/safetensors';

/** A fresh folder that goes when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-run-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A run whose events are kept, on one engine, at a time that stands still. */
export function recorded(onEvent: (event: RunEvent, stop: () => void) => void = () => undefined): {
  context: RunContext;
  events: RunEvent[];
} {
  const events: RunEvent[] = [];
  const controller = new AbortController();
  const emit = (told: ToldEvent): void => {
    const event = eventInWords(told, commandLine);
    events.push(event);
    onEvent(event, () => controller.abort());
  };
  return {
    events,
    context: {
      emit,
      signal: controller.signal,
      engine: () => openEngine({ engine: 'cpu', threads: 2 }),
      now: () => Date.UTC(2026, 0, 1),
    },
  };
}

/** Settings of a short run. */
export const shortSettings = (
  steps: number,
  changes: Partial<LigoSettings> = {},
): LigoSettings => ({
  ...defaultLigoSettings,
  steps,
  warmup: 1,
  ...changes,
});

/** The King James Bible in small batches. */
export const bible: DataOptions = {
  data: example('kjv.txt'),
  batchSize: 4,
  sequenceLength: 16,
  evaluationBatches: 2,
  separator: 'newline',
  seed: 0,
};

/** Fashion-MNIST in small batches. */
export const clothes: DataOptions = {
  data: example('fashion-mnist'),
  batchSize: 8,
  evaluationBatches: 2,
  seed: 0,
};

/** SHA-256 of every file of a folder by name, and the receipts without their times and stops. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map(name => {
        const bytes = readFileSync(join(folder, name));
        if (name === 'growth.json' || name === 'training.json') {
          const receipt = JSON.parse(bytes.toString()) as object;
          return [name, JSON.stringify({ ...receipt, seconds: 0, resumedAfter: undefined })];
        }
        return [name, createHash('sha256').update(bytes).digest('hex')];
      }),
  );
}

/** Everything in a folder, hidden siblings of outputs too. */
export const entries = (folder: string): string[] => readdirSync(folder).sort();

/** A header as the file has it, without the library's own reader. */
export function header(file: string): {
  tensors: Map<string, { dtype: string; shape: number[]; offsets: [number, number] }>;
  dataStart: number;
} {
  const bytes = readFileSync(file);
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0));
  const parsed = JSON.parse(bytes.toString('utf8', 8, dataStart)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = Object.entries(parsed)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => {
      const { dtype, shape, data_offsets: offsets } = entry;
      return [name, { dtype, shape, offsets }] as const;
    });
  return { tensors: new Map(tensors), dataStart };
}

/** A copy of a checkpoint folder that a test may damage. */
export function copyOf(checkpoint: string): string {
  const folder = temporaryFolder();
  cpSync(checkpoint, folder, { recursive: true });
  return folder;
}

/** Changes fields of a copy's config.json. */
export function editConfig(folder: string, changes: Record<string, unknown>): string {
  const file = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...config, ...changes }));
  return folder;
}

/** The example of that name with some of its float32 tensors replaced, added or (undefined) left out. */
export async function withTensors(
  name: string,
  change: (
    tensors: ReadonlyMap<string, FixtureTensor>,
  ) => Record<string, FixtureTensor | undefined>,
): Promise<string> {
  const folder = copyOf(example(name));
  const file = join(folder, 'model.safetensors');
  const tensors = readSafetensors(file);
  for (const [changed, tensor] of Object.entries(change(tensors))) {
    if (tensor) tensors.set(changed, tensor);
    else tensors.delete(changed);
  }
  rmSync(file);
  await writeCheckpoint(
    folder,
    [...tensors].map(([written, { shape, data }]) => ({
      ...{ name: written, type: 'F32' as const, shape },
      values: () => Promise.resolve(Float32Array.from(data)),
    })),
  );
  return folder;
}

/** Uniform values, the same for every call of a shape. */
export const randomTensor = (...shape: number[]): FixtureTensor => ({
  shape,
  data: uniform(
    shape.length,
    shape.reduce((a, b) => a * b),
  ),
});

/** The BERT example as a classifier: of three classes unless config.json is changed otherwise. */
export async function bertClassifier(
  changes: Record<string, unknown> = {},
  classes = 3,
): Promise<string> {
  const folder = await withTensors('bert-kjv', tensors => ({
    ...Object.fromEntries(
      [...tensors.keys()].filter(name => name.startsWith('cls.')).map(name => [name, undefined]),
    ),
    'bert.pooler.dense.weight': randomTensor(64, 64),
    'bert.pooler.dense.bias': randomTensor(64),
    'classifier.weight': randomTensor(classes, 64),
    'classifier.bias': randomTensor(classes),
  }));
  const names = ['verse', 'title', 'note'].slice(0, classes);
  const architectures = ['BertForSequenceClassification'];
  return editConfig(folder, { architectures, id2label: { ...names }, ...changes });
}

/** Verses with a label each, as JSON lines in a folder of their own. */
export function labelledVerses(count: number, labelOf: (index: number) => unknown): string {
  const verses = readFileSync(example('kjv.txt'), 'utf8').split('\n', count);
  const file = join(temporaryFolder(), 'verses.jsonl');
  const lines = verses.map((text, index) => JSON.stringify({ text, label: labelOf(index) }));
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Writes NaN over the third value of a float32 tensor of a copy. */
export function putNaN(folder: string, tensor: string): string {
  const file = join(folder, 'model.safetensors');
  const { tensors, dataStart } = header(file);
  const bytes = readFileSync(file);
  bytes.writeFloatLE(NaN, dataStart + tensors.get(tensor)!.offsets[0] + 8);
  writeFileSync(file, bytes);
  return folder;
}

export { failure } from '../../support/userError';
