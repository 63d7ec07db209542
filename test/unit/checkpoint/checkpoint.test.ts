import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, open, readFile, rm, symlink, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openCheckpoint, type Checkpoint } from '../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError, UserError } from '../../../src/errors';
import { patience } from '../../support/patience';
import { assertUserError, f32, fixture, put, safetensors, temporaryFolder } from './files';

const onWindows = process.platform === 'win32' ? 'there are no pipes in folders' : false;

async function opened(t: TestContext, path: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(path);
  t.after(() => checkpoint.close());
  return checkpoint;
}

/** Header and data of a safetensors file, read without the code under test. */
async function independently(file: string) {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  delete header['__metadata__'];
  return { header, data: bytes.subarray(8 + length) };
}

test('a folder opens with its tensors, config and metadata', async t => {
  const checkpoint = await opened(t, fixture('bert'));
  const { header, data } = await independently(fixture('bert/model.safetensors'));
  assert.equal(checkpoint.directory, fixture('bert'));
  assert.deepEqual(checkpoint.files, [fixture('bert/model.safetensors')]);
  assert.equal(checkpoint.config?.['model_type'], 'bert');
  assert.equal(checkpoint.config?.['hidden_size'], 64);
  assert.deepEqual({ ...checkpoint.metadata }, { format: 'pt' });
  assert.equal(checkpoint.bytes, data.length);
  assert.deepEqual([...checkpoint.tensors.keys()].sort(), Object.keys(header).sort());
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const tensor = checkpoint.tensors.get(name);
    assert.equal(tensor?.type, dtype);
    assert.deepEqual(tensor?.shape, shape);
    assert.equal(tensor?.file, fixture('bert/model.safetensors'));
    const expected = data.subarray(...data_offsets);
    assert.ok(expected.equals(await checkpoint.readBytes(name)), name);
    const values = await checkpoint.readFloat32(name);
    assert.equal(values.length, expected.length / 4);
    values.forEach((value, i) => assert.equal(value, expected.readFloatLE(4 * i)));
  }
});

test('a sharded checkpoint equals the single file byte for byte, however it is opened', async t => {
  const single = await opened(t, fixture('bert'));
  for (const path of ['bert-sharded', 'bert-sharded/model.safetensors.index.json']) {
    const sharded = await opened(t, fixture(path));
    assert.equal(sharded.files.length, 6);
    assert.equal(sharded.directory, fixture('bert-sharded'));
    assert.equal(sharded.bytes, single.bytes);
    assert.deepEqual({ ...sharded.metadata }, { format: 'pt' });
    assert.deepEqual([...sharded.tensors.keys()].sort(), [...single.tensors.keys()].sort());
    for (const name of single.tensors.keys()) {
      assert.deepEqual(await sharded.readBytes(name), await single.readBytes(name));
    }
  }
});

test('float16 and bfloat16 checkpoints give exactly the values they hold', async t => {
  for (const [name, valueOf] of [
    ['bert-float16', halfValue],
    ['bert-bfloat16', bfloatValue],
  ] as const) {
    const checkpoint = await opened(t, fixture(name));
    const { header, data } = await independently(fixture(`${name}/model.safetensors`));
    for (const [tensor, { data_offsets }] of Object.entries(header)) {
      const bytes = data.subarray(...data_offsets);
      const values = await checkpoint.readFloat32(tensor);
      assert.equal(values.length, bytes.length / 2);
      values.forEach((value, i) => {
        const expected = valueOf(bytes.readUInt16LE(2 * i));
        if (!Object.is(value, expected)) assert.equal(value, expected, `${tensor} ${i}`);
      });
    }
  }
});

function halfValue(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

function bfloatValue(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

test('a range of a tensor is the same as that part of the whole', async t => {
  for (const folder of ['bert', 'bert-float16', 'bert-sharded']) {
    const checkpoint = await opened(t, fixture(folder));
    const name = 'bert.encoder.layer.1.attention.self.query.weight';
    const whole = await checkpoint.readFloat32(name);
    for (const [first, count] of [
      [0, 0],
      [0, 1],
      [63, 65],
      [4095, 1],
      [4096, 0],
      [0, 4096],
    ] as const) {
      const range = await checkpoint.readRange(name, first, count);
      assert.deepEqual(range, whole.slice(first, first + count));
    }
    for (const [first, count] of [
      [-1, 1],
      [0, 4097],
      [4096, 1],
      [0.5, 1],
      [0, NaN],
    ] as const) {
      await assert.rejects(checkpoint.readRange(name, first, count), RangeError);
    }
  }
});

test('tensors that are not there, and closed checkpoints, are told apart from empty ones', async () => {
  const checkpoint = await openCheckpoint(fixture('bert'));
  for (const name of ['nothing', '__proto__', 'toString', '']) {
    await assertUserError(checkpoint.readFloat32(name), UserError, /no tensor named/);
  }
  const [name] = checkpoint.tensors.keys();
  await checkpoint.readBytes(name!);
  await checkpoint.close();
  await checkpoint.close();
  await assert.rejects(checkpoint.readBytes(name!), /closed/);
});

test('values of an F8 tensor are refused, its bytes are not', async t => {
  const header = { a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } };
  const path = await put(await temporaryFolder(t), 'a', safetensors(header, 4));
  const checkpoint = await opened(t, path);
  await assertUserError(checkpoint.readFloat32('a'), UnsupportedError, /F8_E4M3/);
  await assertUserError(checkpoint.readRange('a', 0, 1), UnsupportedError, /F8_E4M3/);
  assert.deepEqual(await checkpoint.readBytes('a'), Uint8Array.of(1, 1, 1, 1));
});

/** Counts the bytes that pass through file handles while an action runs. */
async function bytesReadDuring(action: () => Promise<unknown>): Promise<number> {
  const handle = await open(fixture('bert/config.json'), 'r');
  const prototype = Object.getPrototypeOf(handle) as {
    read: (...args: unknown[]) => Promise<{ bytesRead: number }>;
  };
  await handle.close();
  const { read } = prototype;
  let total = 0;
  prototype.read = async function (...args) {
    const result = await read.apply(this, args);
    total += result.bytesRead;
    return result;
  };
  try {
    await action();
  } finally {
    prototype.read = read;
  }
  return total;
}

test('a sparse file of 10 GB opens by reading its header only', async t => {
  const folder = await temporaryFolder(t);
  const count = 2_500_000_000;
  const whole = safetensors({ big: f32(0, count), last: f32(4 * count, 3) });
  const path = await put(folder, 'model.safetensors', whole);
  await truncate(path, whole.length + 4 * count + 12);
  let checkpoint: Checkpoint | undefined;
  const bytes = await bytesReadDuring(async () => {
    checkpoint = await opened(t, folder);
  });
  assert.ok(bytes <= 4096, `${bytes} bytes were read`);
  assert.equal(checkpoint!.bytes, 4 * count + 12);
  const read = await bytesReadDuring(async () => {
    assert.deepEqual(await checkpoint!.readRange('big', count - 2, 2), Float32Array.of(0, 0));
    assert.deepEqual(await checkpoint!.readFloat32('last'), Float32Array.of(0, 0, 0));
  });
  assert.equal(read, 20);
  await assertUserError(checkpoint!.readBytes('big'), UnsupportedError, /does not fit/);
});

test('a file that changes while it is open is noticed', async t => {
  const folder = await temporaryFolder(t);
  const path = await put(folder, 'a', safetensors({ a: f32(0, 2) }, 8));
  const checkpoint = await opened(t, path);
  await put(folder, 'a', safetensors({ a: f32(0, 3) }, 12));
  await assertUserError(checkpoint.readBytes('a'), CorruptFileError, /changed after it was opened/);
  await put(folder, 'a', safetensors({ b: f32(0, 2) }, 8));
  await utimes(path, 1, 1);
  await assertUserError(checkpoint.readBytes('a'), CorruptFileError, /changed after it was opened/);
  await rm(path);
  await assertUserError(checkpoint.readBytes('a'), UserError, /does not exist/);
});

test('more shards than may be open at once are all readable, also at the same time', async t => {
  const folder = await temporaryFolder(t);
  const weight_map: Record<string, string> = {};
  for (let i = 0; i < 150; i++) {
    weight_map[`t${i}`] = `s${i}.safetensors`;
    const bytes = safetensors({ [`t${i}`]: f32(0, 1) }, 4);
    bytes.writeFloatLE(i, bytes.length - 4);
    await put(folder, `s${i}.safetensors`, bytes);
  }
  await put(folder, 'model.safetensors.index.json', JSON.stringify({ weight_map }));
  const checkpoint = await opened(t, folder);
  for (let round = 0; round < 2; round++) {
    const names = [...checkpoint.tensors.keys()];
    const values = await Promise.all(names.map(name => checkpoint.readFloat32(name)));
    values.forEach((value, i) =>
      assert.deepEqual(value, Float32Array.of(Number(names[i]!.slice(1)))),
    );
  }
});

test('the Hugging Face cache opens, given its folder or a file', async t => {
  const folder = join(await temporaryFolder(t), 'models--google--bert');
  const snapshot = join(folder, 'snapshots', '0a1b');
  await mkdir(join(folder, 'blobs'), { recursive: true });
  await mkdir(join(snapshot, 'parts'), { recursive: true });
  await put(join(folder, 'blobs'), 'c3', safetensors({ a: f32(0, 1) }, 4));
  await put(join(folder, 'blobs'), 'd4', '{"model_type":"bert"}');
  const index = { weight_map: { a: 'parts/one.safetensors' } };
  await put(join(folder, 'blobs'), 'e5', JSON.stringify(index));
  await symlink('../../blobs/d4', join(snapshot, 'config.json'));
  await symlink('../../../blobs/c3', join(snapshot, 'parts', 'one.safetensors'));
  await symlink('../../blobs/e5', join(snapshot, 'model.safetensors.index.json'));
  for (const path of [snapshot, join(snapshot, 'model.safetensors.index.json')]) {
    const checkpoint = await opened(t, path);
    assert.equal(checkpoint.config?.['model_type'], 'bert');
    assert.deepEqual(checkpoint.files, [join(snapshot, 'parts', 'one.safetensors')]);
    assert.equal((await checkpoint.readFloat32('a')).length, 1);
  }
});

test('a link out of the folder is no part of a checkpoint, unless a person named it', async t => {
  const parent = await temporaryFolder(t);
  const [folder, elsewhere] = [join(parent, 'model'), join(parent, 'elsewhere')];
  await mkdir(folder);
  await mkdir(elsewhere);
  const weights = await put(elsewhere, 'model.safetensors', safetensors({ a: f32(0, 1) }, 4));
  await symlink(weights, join(folder, 'model.safetensors'));
  const says = /model\.safetensors is not used: it is a link out of its folder/;
  await assertUserError(openCheckpoint(folder), UserError, says);
  const named = await opened(t, join(folder, 'model.safetensors'));
  assert.equal((await named.readFloat32('a')).length, 1);
  assert.equal(named.directory, folder);

  const config = await put(elsewhere, 'config.json', '{"model_type":"bert"}');
  await symlink(config, join(folder, 'config.json'));
  const file = openCheckpoint(join(folder, 'model.safetensors'));
  await assertUserError(file, UserError, /config\.json is not used: it is a link out/);
});

test('a shard is not looked for through a folder that leads out', async t => {
  const parent = await temporaryFolder(t);
  const [folder, elsewhere] = [join(parent, 'model'), join(parent, 'elsewhere')];
  await mkdir(folder);
  await mkdir(elsewhere);
  await put(elsewhere, 'one.safetensors', safetensors({ a: f32(0, 1) }, 4));
  await symlink('../elsewhere', join(folder, 'parts'));
  const index = { weight_map: { a: 'parts/one.safetensors' } };
  await put(folder, 'model.safetensors.index.json', JSON.stringify(index));
  const says = /parts\/one\.safetensors is not used: it is a link out of its folder/;
  await assertUserError(openCheckpoint(folder), UserError, says);
});

test(
  'pipes in the place of files are named, not waited for',
  { skip: onWindows, timeout: patience },
  async t => {
    const folder = await temporaryFolder(t);
    const pipe = (name: string): Buffer => execFileSync('mkfifo', [join(folder, name)]);
    const says = (name: string): RegExp => new RegExp(`${name} is a pipe where a file should be`);
    pipe('model.safetensors');
    await assertUserError(openCheckpoint(folder), UserError, says('model.safetensors'));
    await rm(join(folder, 'model.safetensors'));
    pipe('one.safetensors');
    const index = { weight_map: { a: 'one.safetensors' } };
    const path = await put(folder, 'model.safetensors.index.json', JSON.stringify(index));
    await assertUserError(openCheckpoint(path), UserError, says('one.safetensors'));
    await rm(join(folder, 'one.safetensors'));
    await put(folder, 'one.safetensors', safetensors({ a: f32(0, 1) }, 4));
    pipe('config.json');
    await assertUserError(openCheckpoint(path), UserError, says('config.json'));
  },
);

test('a folder means model.safetensors, else its index, else its only safetensors', async t => {
  const folder = await temporaryFolder(t);
  const holding = (name: string): Buffer => safetensors({ [name]: f32(0, 1) }, 4);
  await put(folder, 'weights.safetensors', holding('w'));
  const names = async () => [...(await opened(t, folder)).tensors.keys()];
  assert.deepEqual(await names(), ['w']);
  await put(folder, 'adapter.safetensors', holding('a'));
  const several = /several checkpoints: adapter\.safetensors, weights\.safetensors/;
  await assertUserError(openCheckpoint(folder), UserError, several);
  const index = JSON.stringify({ weight_map: { w: 'weights.safetensors' } });
  await put(folder, 'other.safetensors.index.json', index);
  assert.deepEqual(await names(), ['w']);
  await put(folder, 'model.safetensors.index.json', index.replaceAll('w":"weights', 'a":"adapter'));
  assert.deepEqual(await names(), ['a']);
  await put(folder, 'model.safetensors', holding('m'));
  assert.deepEqual(await names(), ['m']);
});

test('config.json that is broken is an error, one that is missing is not', async t => {
  const folder = await temporaryFolder(t);
  await put(folder, 'model.safetensors', safetensors({ a: f32(0, 1) }, 4));
  assert.equal((await opened(t, folder)).config, undefined);
  for (const text of ['{"a":', '[]', '', '{"a":1,"a":2}', '{"x":{"__proto__":{"y":1}}}']) {
    await put(folder, 'config.json', text);
    await assertUserError(openCheckpoint(folder), CorruptFileError, /config\.json cannot be used/);
  }
  await put(folder, 'config.json', '\ufeff{"model_type":"bert"}');
  assert.equal((await opened(t, folder)).config?.['model_type'], 'bert');
});
