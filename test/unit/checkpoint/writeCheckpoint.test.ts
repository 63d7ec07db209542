import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint, type Checkpoint } from '../../../src/checkpoint/checkpoint';
import { bytesPerElement, type StoredType } from '../../../src/checkpoint/elementTypes';
import type { Layout } from '../../../src/checkpoint/layouts/layout';
import { writeCheckpoint, type TensorToWrite } from '../../../src/checkpoint/writeCheckpoint';
import { UserError } from '../../../src/errors';
import { assertUserError, fixture, put, seeded, temporaryFolder } from './files';

function copying(checkpoint: Checkpoint, names = [...checkpoint.tensors.keys()]): TensorToWrite[] {
  return names.map(name => {
    const { type, shape } = checkpoint.tensors.get(name)!;
    return { name, type, shape, values: () => checkpoint.readBytes(name) };
  });
}

function zeros(name: string, count: number, type: StoredType = 'F32'): TensorToWrite {
  const bytes = new Uint8Array(count * bytesPerElement(type));
  return { name, type, shape: [count], values: async () => bytes };
}

for (const name of ['bert', 'gpt2', 'vit', 'deit', 'roberta', 'bert-float16', 'bert-bfloat16']) {
  test(`${name} written again is byte for byte the file transformers wrote`, async t => {
    const folder = await temporaryFolder(t);
    const checkpoint = await openCheckpoint(fixture(name));
    t.after(() => checkpoint.close());
    const expected = await readFile(fixture(`${name}/model.safetensors`));
    // Given backwards and as values, so that neither order nor bytes come for free.
    const tensors = copying(checkpoint)
      .reverse()
      .map(tensor => ({ ...tensor, values: () => checkpoint.readFloat32(tensor.name) }));
    const written = await writeCheckpoint(folder, tensors);
    assert.deepEqual(written, {
      files: [join(folder, 'model.safetensors')],
      bytes: checkpoint.bytes,
    });
    assert.ok(expected.equals(await readFile(written.files[0]!)));
  });
}

/** The order in which PyTorch lists a BERT's parameters, which decides how it is divided. */
function moduleOrder(names: readonly string[]): string[] {
  const parts = ['embeddings.word', 'embeddings.position', 'embeddings.token', 'embeddings.Lay'];
  for (let layer = 0; layer < 3; layer++) {
    const inLayer = ['self.query', 'self.key', 'self.value', 'attention.output.dense'];
    inLayer.push('attention.output.Lay', 'intermediate.dense', '.output.dense', '.output.Lay');
    parts.push(...inLayer.map(part => `layer.${layer}.*${part}`));
  }
  parts.push('predictions.bias', 'transform.dense', 'transform.Lay');
  const rank = (name: string): number =>
    2 * parts.findIndex(part => new RegExp(part).test(name)) + (name.endsWith('.bias') ? 1 : 0);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** Where the file is read from for a tensor. */
async function firstByte(layout: Layout): Promise<number> {
  const begins: number[] = [];
  const noted = (begin: number): Promise<Uint8Array> => {
    begins.push(begin);
    return Promise.resolve(new Uint8Array());
  };
  await layout.read(noted, 0, 0);
  return begins[0]!;
}

test('a sharded checkpoint written again equals transformers’ files, index included', async t => {
  const folder = await temporaryFolder(t);
  const checkpoint = await openCheckpoint(fixture('bert'));
  t.after(() => checkpoint.close());
  const tensors = copying(checkpoint, moduleOrder([...checkpoint.tensors.keys()]));
  const { files, bytes } = await writeCheckpoint(folder, tensors, { maxShardBytes: 150_000 });
  assert.equal(bytes, 767_488);
  assert.equal(basename(files.at(-1)!), 'model.safetensors.index.json');
  const expected = (await readdir(fixture('bert-sharded'))).filter(name => name !== 'config.json');
  assert.deepEqual((await readdir(folder)).sort(), expected.sort());
  for (const name of expected) {
    const theirs = await readFile(fixture(`bert-sharded/${name}`));
    assert.ok(theirs.equals(await readFile(join(folder, name))), name);
  }
});

test('what is written in any type is read back, data aligned, larger types first', async t => {
  const folder = await temporaryFolder(t);
  const random = seeded(5);
  const types: StoredType[] = ['BOOL', 'U8', 'I8', 'F8_E4M3', 'I16', 'U16', 'F16', 'BF16'];
  types.push('I32', 'U32', 'F32', 'F64', 'I64', 'U64');
  const tensors = types.map((type, i) => {
    const bytes = Uint8Array.from({ length: 3 * (i + 1) * bytesPerElement(type) }, random);
    return { name: `${type} “${i}”\u2028`, type, shape: [3, i + 1], values: async () => bytes };
  });
  const metadata = { format: 'pt', note: 'größer "gewachsen" 🌱' };
  await writeCheckpoint(folder, tensors, { metadata });
  const checkpoint = await openCheckpoint(folder);
  t.after(() => checkpoint.close());
  assert.deepEqual({ ...checkpoint.metadata }, metadata);
  const written = [...checkpoint.tensors.values()];
  assert.deepEqual(
    written.map(tensor => tensor.type),
    [...types].reverse(),
  );
  for (const tensor of tensors) {
    const { shape, layout } = checkpoint.tensors.get(tensor.name)!;
    assert.deepEqual(shape, tensor.shape);
    assert.equal((await firstByte(layout)) % bytesPerElement(tensor.type), 0);
    assert.deepEqual(await checkpoint.readBytes(tensor.name), await tensor.values());
  }
  assert.equal((await firstByte(written[0]!.layout)) % 8, 0);
});

test('values longer than one conversion are stored whole', async t => {
  const folder = await temporaryFolder(t);
  const values = Float32Array.from({ length: 5_000_000 }, (_, i) => i % 2048);
  const tensor = {
    name: 'a',
    type: 'F16',
    shape: [5_000_000],
    values: async () => values,
  } as const;
  await writeCheckpoint(folder, [tensor]);
  const checkpoint = await openCheckpoint(folder);
  t.after(() => checkpoint.close());
  assert.ok(
    Buffer.from(values.buffer).equals(Buffer.from((await checkpoint.readFloat32('a')).buffer)),
  );
});

test('values are asked for one tensor at a time, in the order of the file', async t => {
  const folder = await temporaryFolder(t);
  const asked: string[] = [];
  const tensors = ['c', 'a', 'b'].map(name => ({
    ...zeros(name, 4),
    values: async () => {
      asked.push(name);
      return new Float32Array(4);
    },
  }));
  await writeCheckpoint(folder, tensors);
  assert.deepEqual(asked, ['a', 'b', 'c']);
});

test('tensors are divided in the order given; one that is too large gets its own shard', async t => {
  const folder = await temporaryFolder(t);
  const tensors = [zeros('a', 6), zeros('b', 2), zeros('huge', 30), zeros('c', 2), zeros('d', 1)];
  const options = { maxShardBytes: 40, baseName: 'big', metadata: {} };
  const { files } = await writeCheckpoint(folder, tensors, options);
  assert.deepEqual(
    files.map(file => basename(file)),
    [1, 2, 3].map(i => `big-0000${i}-of-00003.safetensors`).concat('big.safetensors.index.json'),
  );
  const index = JSON.parse(await readFile(files.at(-1)!, 'utf8')) as {
    metadata: unknown;
    weight_map: Record<string, string>;
  };
  assert.deepEqual(index.metadata, { total_parameters: 41, total_size: 164 });
  const shards = Object.entries(index.weight_map).map(([name, shard]) => `${name}${shard[8]}`);
  assert.deepEqual(shards, ['a2', 'b2', 'c2', 'd3', 'huge1']);
  const checkpoint = await openCheckpoint(folder);
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.bytes, 164);
  assert.deepEqual({ ...checkpoint.metadata }, {});
});

test('no tensors make a valid empty checkpoint', async t => {
  const folder = await temporaryFolder(t);
  const { files, bytes } = await writeCheckpoint(folder, [], { metadata: {} });
  assert.equal(bytes, 0);
  assert.equal((await readFile(files[0]!)).toString('latin1'), '\b\0\0\0\0\0\0\0{}      ');
});

test('a wrong number of values is a defect and leaves no file behind', async t => {
  const folder = await temporaryFolder(t);
  for (const values of [new Float32Array(3), new Float32Array(5), new Uint8Array(4)]) {
    const wrong = { ...zeros('b', 4), values: async () => values };
    const writing = writeCheckpoint(folder, [zeros('a', 4), wrong], { maxShardBytes: 16 });
    await assert.rejects(writing, (error: Error) => {
      assert.ok(!(error instanceof UserError));
      assert.match(error.message, /tensor b \[4\] got \d values|tensor b \[4\] got 4 bytes/);
      return true;
    });
    assert.deepEqual(await readdir(folder), []);
  }
});

test('a failure to supply values passes through unchanged and leaves no file behind', async t => {
  const folder = await temporaryFolder(t);
  const failure = Object.assign(new Error('gone'), { code: 'ENOSPC' });
  const failing = { ...zeros('b', 4), values: () => Promise.reject(failure) };
  await assert.rejects(writeCheckpoint(folder, [zeros('a', 4), failing]), failure);
  assert.deepEqual(await readdir(folder), []);
});

test('tensors that no reader would accept are a defect before anything is written', async t => {
  const folder = await temporaryFolder(t);
  const wrong: readonly (readonly [TensorToWrite[], RegExp])[] = [
    [[zeros('a', 1), zeros('a', 1)], /two tensors are named a/],
    [[zeros('../x', 1)], /looks like a path/],
    [[zeros('__metadata__', 1)], /is reserved/],
    [[{ ...zeros('a', 1), shape: [-1] }], /impossible shape/],
    [[{ ...zeros('a', 1), shape: [0.5] }], /impossible shape/],
    [[{ ...zeros('a', 1), shape: [2 ** 30, 2 ** 30] }], /impossible shape/],
    [[{ ...zeros('a', 3), type: 'F4' }], /impossible shape/],
  ];
  for (const [tensors, says] of wrong) {
    await assert.rejects(writeCheckpoint(folder, tensors), says);
  }
  await assert.rejects(writeCheckpoint(folder, [], { maxShardBytes: 0 }), /shards of 0 bytes/);
  assert.deepEqual(await readdir(folder), []);
});

test('a file that exists is neither replaced nor removed', async t => {
  const folder = await temporaryFolder(t);
  await put(folder, 'model.safetensors', 'mine');
  const writing = writeCheckpoint(folder, [zeros('a', 1)]);
  await assertUserError(writing, UserError, /cannot be written: something of that name exists/);
  assert.equal(await readFile(join(folder, 'model.safetensors'), 'utf8'), 'mine');
});
