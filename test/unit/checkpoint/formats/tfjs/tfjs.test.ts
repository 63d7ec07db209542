import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, readdir, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import '@tensorflow/tfjs-backend-cpu';
import { io } from '@tensorflow/tfjs-core';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { assertUserError, put, safetensors, temporaryFolder, f32 } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

const bert = formatFixture('tfjs/bert');

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: object;
}

/** Writes a model.json of one group beside its files, the bytes cut at the given places. */
async function model(
  t: TestContext,
  weights: readonly unknown[],
  bytes: Buffer,
  cuts: readonly number[] = [],
): Promise<string> {
  const folder = await temporaryFolder(t);
  const places = [0, ...cuts, bytes.length];
  const paths = places.slice(1).map((_, index) => `part${index}.bin`);
  for (const [index, path] of paths.entries()) {
    await put(folder, path, bytes.subarray(places[index], places[index + 1]));
  }
  const json = { format: 'layers-model', weightsManifest: [{ paths, weights }] };
  return put(folder, 'model.json', JSON.stringify(json));
}

const weight = (name: string, shape: readonly number[], dtype = 'float32', more = {}): Weight => ({
  ...{ name, shape, dtype },
  ...more,
});

test("a BERT of transformers' TensorFlow class has the tensors of PyTorch's", async t => {
  const checkpoint = await opened(t, join(bert, 'model.json'));
  await assertSameTensors(checkpoint, await opened(t, join(bert, 'model.safetensors')));
  assert.deepEqual(checkpoint.metadata['format'], 'layers-model');
  assert.deepEqual(
    checkpoint.files.map(file => file.slice(bert.length + 1)),
    ['model.json', 'group1-shard1of3.bin', 'group1-shard2of3.bin', 'group1-shard3of3.bin'],
  );
});

test('that BERT opens as a model, to be grown', async () => {
  const { architecture, checkpoint } = await openModel(join(bert, 'model.json'));
  assert.equal(architecture.family, 'bert');
  await checkpoint.close();
});

test('every kind of tensor is what the reader of TensorFlow.js makes of it', async t => {
  const bytes = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 37 + 11) % 128));
  for (const begin of [80, 131]) {
    for (let i = begin; i < begin + 10; i++) bytes[i] = i % 3 === 0 ? 0 : 1;
  }
  bytes.writeUInt32LE(3, 120);
  bytes.writeUInt32LE(0, 127);
  const affine = (dtype: string, scale: number, min: number): object => ({
    quantization: { dtype, scale, min, original_dtype: 'float32' },
  });
  const weights = [
    weight('f', [2, 5]), // 40 bytes
    weight('i', [10], 'int32'), // 80
    weight('b', [10], 'bool'), // 90
    weight('c', [2], 'complex64'), // 106
    weight('q8', [14], 'float32', affine('uint8', 0.0123, -1.7)), // 120
    weight('words', [2], 'string'), // 120 + 7 + 4 = 131
    weight('odd', [9], 'bool'), // 140
    weight('q16', [3, 4], 'float32', affine('uint16', 1e-5, -0.31)), // 164
    weight('half', [2, 4], 'float32', { quantization: { dtype: 'float16' } }), // 180
    weight('q32', [20], 'int32', affine('uint8', 1.5, -3)), // 200
    weight('none', [0, 4]), // 200
    weight('last', [50]), // 400
  ];
  const path = await model(t, weights, bytes, [3, 3, 41, 130, 131, 177, 200, 333]);
  const checkpoint = await opened(t, path);
  const whole = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const expected = io.decodeWeights(whole as ArrayBuffer, weights as never);
  const names = weights.map(({ name }) => name).filter(name => name !== 'words');
  assert.deepEqual([...checkpoint.tensors.keys()], names);
  for (const name of names) {
    if (name === 'c') continue;
    const values = Array.from(await checkpoint.readFloat32(name));
    const read = (await expected[name]!.data()) as Iterable<number>;
    assert.deepEqual(values, Array.from(read, Math.fround), name);
  }
  assert.deepEqual(Buffer.from(await checkpoint.readBytes('c')), bytes.subarray(90, 106));
  assert.deepEqual(
    names.map(name => checkpoint.tensors.get(name)!.storedAs ?? '').filter(Boolean),
    ['UINT8', 'UINT16', 'FLOAT16', 'UINT8'],
  );
  assert.match(checkpoint.notes[0]!.message, /1 tensor of text, .*not read: "words"/);
});

test('a change of any of its files is noticed, by readers and by the sum of them', async t => {
  const path = await model(t, [weight('a', [4])], Buffer.alloc(16, 1), [7]);
  const checkpoint = await opened(t, path);
  const sum = await checkpoint.sha256();
  await checkpoint.requireUnchanged(sum);
  await put(join(path, '..'), 'part1.bin', Buffer.alloc(9, 2));
  await assertUserError(checkpoint.readBytes('a'), CorruptFileError, /part1\.bin changed after/);
  await assertUserError(
    checkpoint.requireUnchanged(sum),
    CorruptFileError,
    /part1\.bin was changed/,
  );
});

test('files beside it that are missing, elsewhere or too short are named', async t => {
  const folder = await temporaryFolder(t);
  for (const name of await readdir(bert)) await copyFile(join(bert, name), join(folder, name));
  const path = join(folder, 'model.json');
  const second = join(folder, 'group1-shard2of3.bin');
  await truncate(second, 100);
  await assertUserError(
    openCheckpoint(path),
    CorruptFileError,
    /model\.json: tensor "tf_bert.*" ends after the files that should hold it, which have 3,484 bytes/,
  );
  await rm(second);
  await assertUserError(openCheckpoint(path), UserError, /shard2of3\.bin does not exist/);
  const elsewhere = await put(await temporaryFolder(t), 'other', 'x');
  await symlink(elsewhere, second);
  await assertUserError(openCheckpoint(path), UserError, /is a link out of its folder/);
  await rm(second);
  await mkdir(second);
  await assertUserError(openCheckpoint(path), CorruptFileError, /is a folder where a file/);
});

test('bytes after the last tensor are told', async t => {
  const path = await model(t, [weight('a', [1])], Buffer.alloc(6));
  const { notes } = await opened(t, path);
  assert.match(notes[0]!.message, /last 2 bytes of "part0\.bin" belong to no tensor/);
});

test('an index may place a tensor called weightsManifest', async t => {
  const folder = await temporaryFolder(t);
  await put(folder, 'a.safetensors', safetensors({ weightsManifest: f32(0, 1) }, 4));
  const index = JSON.stringify({ weight_map: { weightsManifest: 'a.safetensors' } });
  const checkpoint = await opened(t, await put(folder, 'x.index.json', index));
  assert.deepEqual([...checkpoint.tensors.keys()], ['weightsManifest']);
});

const hostile: readonly (readonly [string, unknown, RegExp])[] = [
  ['a manifest that is no list', {}, /weightsManifest is not a list/],
  ['a group that is no object', [null], /group of its weightsManifest is not an object/],
  ['a path that is no text', [{ paths: [1], weights: [] }], /no list of paths/],
  ['no list of weights', [{ paths: [] }], /no list of weights/],
  ['a path twice', [{ paths: ['a', 'a'], weights: [] }], /path "a" stands in it twice/],
  [
    'too many paths',
    [{ paths: Array.from({ length: 10_001 }, (_, i) => `p${i}`), weights: [] }],
    /names more than 10000 files/,
  ],
  ['a path out of the folder', [{ paths: ['../a'], weights: [] }], /"\.\.\/a" .*leads out/],
  ['an absolute path', [{ paths: ['/etc/passwd'], weights: [] }], /leads out of the folder/],
  ['a weight that is no object', [{ paths: [], weights: [1] }], /not described by an object/],
  ['no name', [{ paths: [], weights: [{}] }], /a tensor has no name/],
  ['a name that is a path', [{ paths: [], weights: [weight('../x', [])] }], /looks like a path/],
  [
    'a name twice',
    [{ paths: [], weights: [weight('a', [0]), weight('a', [0])] }],
    /tensor "a" stands in it twice/,
  ],
  ['another type', [{ paths: [], weights: [weight('a', [], 'float8')] }], /unknown element type/],
  ['no shape', [{ paths: [], weights: [weight('a', [-1])] }], /no usable shape/],
  ['2⁵³ elements', [{ paths: [], weights: [weight('a', [2 ** 30, 2 ** 23])] }], /more elements/],
  ['more than the files', [{ paths: [], weights: [weight('a', [1])] }], /which have 0 bytes/],
  [
    'text without end',
    [{ paths: [], weights: [weight('a', [2 ** 40], 'string')] }],
    /ends after the files/,
  ],
  [
    'a quantization without a scale',
    [{ paths: [], weights: [weight('a', [1], 'float32', { quantization: { dtype: 'uint8' } })] }],
    /without a scale and a min/,
  ],
  [
    'an unknown quantization',
    [{ paths: [], weights: [weight('a', [1], 'bool', { quantization: { dtype: 'uint8' } })] }],
    /quantization that TensorFlow\.js does not read/,
  ],
  [
    'names that become one',
    [{ paths: [], weights: [weight('x/layer_._0/gamma', [0]), weight('y/layer_._0/gamma', [0])] }],
    /"layer\.0\.weight", is also that of "x\/layer_\._0\/gamma"/,
  ],
];

for (const [what, weightsManifest, says] of hostile) {
  test(`${what} is refused`, async t => {
    const folder = await temporaryFolder(t);
    const path = await put(folder, 'model.json', JSON.stringify({ weightsManifest }));
    await assertUserError(openCheckpoint(path), CorruptFileError, says);
  });
}

test('JSON without end is refused', async t => {
  const text = `{"weightsManifest":${'['.repeat(1e5)}`;
  const path = await put(await temporaryFolder(t), 'model.json', text);
  await assertUserError(openCheckpoint(path), CorruptFileError, /nests more than 256 levels/);
});

test('the fixture is what the documented layout says', async () => {
  const json = JSON.parse(await readFile(join(bert, 'model.json'), 'utf8')) as {
    weightsManifest: { paths: string[] }[];
  };
  assert.equal(json.weightsManifest[0]?.paths.length, 3);
});
