import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { InterruptedError } from '../../../src/errors';
import { checkpointDifference } from '../../../src/inspect/difference';
import { differencePicture } from '../../../src/inspect/differencePicture';
import { pairTensors } from '../../../src/inspect/pairs';
import { nameOf, type Distance, type TensorChange } from '../../../src/protocol/differences';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

const paths = {
  before: fixture('difference/before.safetensors'),
  after: fixture('difference/after.safetensors'),
};

type Numbers = Record<'relative' | 'cosine' | 'largest', number | 'nan' | 'inf'> &
  Pick<Distance, 'compared' | 'notFinite'>;

/** By NumPy in float64 (test/fixtures/difference/make.py). */
const expected = JSON.parse(readFileSync(fixture('difference/distances.json'), 'utf8')) as {
  tensors: Record<string, Numbers>;
  whole: Numbers;
};

function assertDistance(found: Distance | undefined, numbers: Numbers, name: string): void {
  assert.ok(found, name);
  for (const quantity of ['relative', 'cosine', 'largest'] as const) {
    const wanted = numbers[quantity];
    const value: number = found[quantity];
    if (wanted === 'nan') assert.ok(Number.isNaN(value), `${quantity} of ${name}: ${value}`);
    else if (wanted === 'inf') assert.equal(value, Infinity, `${quantity} of ${name}`);
    else {
      const error = Math.abs(value - Number(wanted));
      assert.ok(error <= 1e-13 * Math.abs(Number(wanted)), `${quantity} of ${name}: ${value}`);
    }
  }
  assert.deepEqual(
    { compared: found.compared, notFinite: found.notFinite },
    { compared: numbers.compared, notFinite: numbers.notFinite },
    name,
  );
}

test('how far tensors moved is what NumPy computes in float64, of every type that has values', async () => {
  const { tensors, whole } = await checkpointDifference(paths);
  const found = new Map(tensors.map(tensor => [nameOf(tensor), tensor.distance]));
  for (const [name, numbers] of Object.entries(expected.tensors)) {
    assertDistance(found.get(name), numbers, name);
  }
  assertDistance(whole, expected.whole, 'all together');
  const compared = [...found].filter(([, distance]) => distance !== undefined);
  assert.deepEqual(compared.map(([name]) => name).sort(), Object.keys(expected.tensors).sort());
});

test('each tensor is told what became of it', async () => {
  const { tensors } = await checkpointDifference(paths);
  const changes = Object.fromEntries(tensors.map(tensor => [nameOf(tensor), tensor.change]));
  const moved: TensorChange = 'moved';
  assert.deepEqual(changes, {
    same: 'identical',
    moved,
    'moved.bf16': moved,
    'moved.f16': moved,
    'moved.f64': moved,
    'moved.i64': moved,
    'moved.i32': moved,
    'moved.bool': moved,
    retyped: 'retyped',
    reshaped: 'reshaped',
    gone: 'removed',
    new: 'added',
    holes: moved,
    'zero.then.not': moved,
    // The same numbers in other bytes.
    'zero.of.both.signs': moved,
    empty: 'identical',
    scalar: moved,
    'f8.same': 'identical',
    'f8.other': 'unreadable',
    'transformer.h.0.ln_1.gamma': 'identical',
    'module.head': moved,
  });
});

test('shapes, types and both names of a tensor are told, and why values were not compared', async () => {
  const { tensors } = await checkpointDifference(paths);
  const named = (name: string) => tensors.find(tensor => nameOf(tensor) === name)!;
  assert.deepEqual(named('reshaped').before?.shape, [3, 2]);
  assert.deepEqual(named('reshaped').after?.shape, [3, 4]);
  assert.equal(named('retyped').before?.type, 'F32');
  assert.equal(named('retyped').after?.type, 'BF16');
  assert.equal(named('transformer.h.0.ln_1.gamma').after?.name, 'h.0.ln_1.weight');
  assert.match(named('f8.other').reason ?? '', /F8_E4M3 cannot be read as numbers/);
  assert.equal(named('f8.other').distance, undefined);
});

test('reading by small parts changes no number beyond rounding', async () => {
  const whole = await checkpointDifference(paths);
  const parts = await checkpointDifference(paths, { atOnce: 8 });
  for (const [index, tensor] of parts.tensors.entries()) {
    const other = whole.tensors[index]!;
    assert.equal(tensor.change, other.change);
    if (!other.distance) continue;
    const { relative, cosine, largest, ...counts } = other.distance;
    const numbers: Numbers = { relative, cosine, largest, ...counts };
    for (const quantity of ['relative', 'cosine', 'largest'] as const) {
      if (Number.isNaN(numbers[quantity])) numbers[quantity] = 'nan';
      if (numbers[quantity] === Infinity) numbers[quantity] = 'inf';
    }
    assertDistance(tensor.distance, numbers, nameOf(tensor));
  }
});

const formats = [
  ['pytorch/types.pt', 'pytorch/types.safetensors'],
  ['numpy/types.npz', 'numpy/types.safetensors'],
  ['numpy/packed.npz', 'numpy/types.safetensors'],
  ['hdf5/types.h5', 'hdf5/types.safetensors'],
  ['onnx/model.onnx', 'onnx/model.safetensors'],
  ['flax/vit/flax_model.msgpack', 'flax/vit/model.safetensors'],
] as const;

for (const [file, same] of formats) {
  test(`${file} holds the values of the safetensors file beside it`, async () => {
    const { tensors, whole } = await checkpointDifference({
      before: fixture(`formats/${file}`),
      after: fixture(`formats/${same}`),
    });
    const others = tensors.filter(
      ({ change }) => change !== 'identical' && change !== 'retyped' && change !== 'added',
    );
    assert.deepEqual(others, []);
    assert.equal(whole?.relative, 0);
  });
}

test('a quantised file is compared with what it was made of, and told its kinds', async () => {
  const gguf = fixture('formats/gguf/kinds.gguf');
  const { tensors } = await checkpointDifference({ before: gguf, after: gguf });
  assert.ok(tensors.some(({ before }) => before?.type.startsWith('Q4')));
  for (const { change, reason } of tensors) {
    assert.ok(change === 'identical' || reason !== undefined, change);
  }
});

test('of models that have no name in common nothing is compared', async () => {
  const [before, after] = ['gpt2-kjv', 'bert-kjv'].map(name =>
    fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)),
  ) as [string, string];
  const { tensors, whole } = await checkpointDifference({ before, after });
  assert.ok(tensors.every(({ change }) => change === 'added' || change === 'removed'));
  assert.equal(whole, undefined);
});

test('names are matched as they are, else by what wrappers, prefixes and older names leave of them', () => {
  assert.deepEqual(
    pairTensors(
      ['a', 'transformer.h.0.w', 'module.model.x', 'bert.LayerNorm.beta', 'only'],
      ['h.0.w', 'x', 'LayerNorm.bias', 'a', 'other'],
    ),
    [
      { before: 'a', after: 'a' },
      { before: 'transformer.h.0.w', after: 'h.0.w' },
      { before: 'module.model.x', after: 'x' },
      { before: 'bert.LayerNorm.beta', after: 'LayerNorm.bias' },
      { before: 'only' },
      { after: 'other' },
    ],
  );
});

test('layers of two families are not matched for being called alike', () => {
  assert.deepEqual(pairTensors(['bert.encoder.w', 'bert.x'], ['vit.encoder.w', 'x']), [
    { before: 'bert.encoder.w' },
    { before: 'bert.x', after: 'x' },
    { after: 'vit.encoder.w' },
  ]);
});

test('names that two tensors of a checkpoint would share match nothing', () => {
  assert.deepEqual(pairTensors(['model.w', 'transformer.w'], ['w']), [
    { before: 'model.w' },
    { before: 'transformer.w' },
    { after: 'w' },
  ]);
});

async function twoFiles(
  context: TestContext,
  shape: readonly number[],
  values: readonly [Float32Array, Float32Array],
): Promise<{ before: string; after: string }> {
  const root = await mkdtemp(join(tmpdir(), 'ligo-difference-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  const [before, after] = await Promise.all(
    values.map(async (own, index) => {
      const folder = await mkdtemp(join(root, `${index}-`));
      const tensor = { name: 't', type: 'F32' as const, shape, values: () => Promise.resolve(own) };
      await writeCheckpoint(folder, [tensor], {});
      return join(folder, 'model.safetensors');
    }),
  );
  return { before: before!, after: after! };
}

test('the picture of a difference has the largest of each cell and keeps NaN', async context => {
  const before = new Float32Array(300 * 2);
  const after = Float32Array.from(before);
  after[0] = 2;
  after[2 * 299 + 1] = -5;
  after[2 * 150] = NaN;
  const files = await twoFiles(context, [300, 2], [before, after]);
  const names = { before: 't', after: 't' };
  const { picture } = await differencePicture(files, names);
  assert.deepEqual([picture?.shape, picture?.rows, picture?.columns], [[300, 2], 128, 2]);
  const values = picture!.values;
  assert.equal(values[0], 2);
  assert.equal(values.at(-1), -5);
  assert.ok(Number.isNaN(values[2 * Math.floor((150 * 128) / 300)]));
  assert.equal(values.filter(value => value !== 0).length, 3);
});

test('progress is told in hundredths, and a comparison that is stopped says so', async context => {
  const values = new Float32Array(1000).fill(1);
  const files = await twoFiles(context, [1000], [values, values]);
  const told: number[] = [];
  const { signal } = new AbortController();
  await checkpointDifference(files, {
    signal,
    atOnce: 8,
    onProgress: ({ bytes, of }) => told.push(bytes / of),
  });
  assert.ok(told.length > 50 && told.length <= 100, `${told.length} times`);
  assert.ok(Math.abs(told.at(-1)! - 1) < 1e-9);
  const stopping = new AbortController();
  await assert.rejects(
    checkpointDifference(files, {
      signal: stopping.signal,
      atOnce: 8,
      onProgress: () => stopping.abort(),
    }),
    InterruptedError,
  );
});

test('a checkpoint that is cut short is refused by name', async context => {
  const files = await twoFiles(context, [4], [new Float32Array(4), new Float32Array(4)]);
  const missing = { ...files, after: `${files.after}-none` };
  await assert.rejects(checkpointDifference(missing), /does not exist/);
});
