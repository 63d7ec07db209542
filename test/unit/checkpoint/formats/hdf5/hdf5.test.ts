import assert from 'node:assert/strict';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { assertUserError, put, temporaryFolder } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

const types = formatFixture('hdf5/types.h5');
const bert = formatFixture('hdf5/bert');

test('every type in every group has the values that h5py gave to safetensors', async t => {
  const checkpoint = await opened(t, types);
  await assertSameTensors(checkpoint, await opened(t, formatFixture('hdf5/types.safetensors')));
  assert.equal(checkpoint.tensors.get('big/f4')?.storedAs, 'F32, big-endian');
});

test('what is not listed is told, and no other file is looked at', async t => {
  const { notes, files } = await opened(t, types);
  assert.deepEqual(files, [types]);
  const says = notes.map(({ message }) =>
    message.replace(`${types}`, '').replace(/^: the data set /, ''),
  );
  assert.deepEqual(says.sort(), [
    ' has 2 links that are not followed: "a/b/round", "soft".',
    '"chunked" is not listed, because its values lie in chunks, which are not put together here.',
    '"elsewhere" is not listed, because its values lie in another file, which HDF5 would look for anywhere.',
    '"records" is not listed, because its elements are no plain numbers.',
    '"words" is not listed, because its elements are no plain numbers.',
  ]);
});

test("weights of transformers' TensorFlow class have the tensors of PyTorch's and grow", async t => {
  const path = join(bert, 'tf_model.h5');
  const checkpoint = await opened(t, path);
  await assertSameTensors(checkpoint, await opened(t, join(bert, 'model.safetensors')));
  const model = await openModel(path);
  assert.equal(model.architecture.family, 'bert');
  await model.checkpoint.close();
});

/** The fixture with eight bytes after the n-th place of a text overwritten by a number. */
async function changed(text: string, after: number, value: bigint, nth = 0): Promise<Buffer> {
  const bytes = await readFile(types);
  let at = -1;
  for (let i = 0; i <= nth; i++) at = bytes.indexOf(text, at + 1, 'latin1');
  assert.ok(at >= 0);
  bytes.writeBigUInt64LE(value, at + after);
  return bytes;
}

test('structures that lie are refused', async t => {
  const folder = await temporaryFolder(t);
  const whole = await readFile(types);
  const tree = BigInt(whole.indexOf('TREE'));
  const newer = Buffer.from(whole);
  newer[8] = 3;
  const narrow = Buffer.from(whole);
  narrow[13] = 4;
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['a root of 2⁶⁴', await changed('\x89HDF', 64, 2n ** 64n - 1n), /truncated/],
    ['a base that is not 0', await changed('\x89HDF', 24, 8n), /count from its beginning/],
    ['the newer layout', newer, /newer layout of HDF5/],
    ['addresses of 4 bytes', narrow, /do not have 8 bytes/],
    ['a tree that leads to itself', await changed('TREE', 32, tree), /no SNOD|back to itself/],
    ['a heap behind the end', await changed('HEAP', 24, 2n ** 60n), /truncated/],
    ['a heap that is none', await changed('HEAP', 0, 0n), /no HEAP where one should be/],
    ['a leaf that is none', await changed('SNOD', 0, 0n), /no SNOD where one should be/],
    ['an entry that leads nowhere', await changed('SNOD', 16, 2n ** 40n), /truncated|no object/],
    ['nothing after its signature', whole.subarray(0, 60), /truncated/],
  ];
  for (const [what, bytes, says] of cases) {
    const path = await put(folder, 'a.h5', bytes);
    const error = await assertUserError(openCheckpoint(path), CorruptFileError, says);
    assert.match(error.message, /a\.h5 is an HDF5 file and cannot be used/, what);
  }
});

test('a file that is cut off names the tensor that is not whole', async t => {
  const folder = await temporaryFolder(t);
  const path = await put(folder, 'a.h5', await readFile(join(bert, 'tf_model.h5')));
  await truncate(path, (await readFile(path)).length - 8);
  await assertUserError(openCheckpoint(path), CorruptFileError, /truncated|are there for it/);
});

test('the newest layout is refused by name', async t => {
  const superblock = Buffer.alloc(600);
  superblock.write('\x89HDF\r\n\x1a\n\x03\x08\x08', 'latin1');
  const path = await put(await temporaryFolder(t), 'a.h5', superblock);
  await assertUserError(openCheckpoint(path), CorruptFileError, /libver="latest"/);
});

test('a sparse file of 10 GB opens by its structure alone, and its tensor fits into no array', async t => {
  const whole = await readFile(types);
  // The first message of a layout, of 4 elements in one run, becomes one of 2.5e9 at the end of the file.
  const place = Buffer.concat([Buffer.from([3, 1]), Buffer.alloc(16)]);
  const values = whole.indexOf(Buffer.from(Float32Array.of(0, 1, 2, 3).buffer));
  place.writeBigUInt64LE(BigInt(values), 2);
  place.writeBigUInt64LE(16n, 10);
  const at = whole.indexOf(place);
  assert.ok(values > 0 && at > 0);
  whole.writeBigUInt64LE(BigInt(whole.length), at + 2);
  whole.writeBigUInt64LE(10_000_000_000n, at + 10);
  const space = Buffer.alloc(24);
  space.writeBigUInt64LE(4n, 8);
  space[0] = 1;
  space[1] = 1;
  space[2] = 1;
  space.writeBigUInt64LE(4n, 16);
  const shape = whole.lastIndexOf(space, at);
  assert.ok(shape > 0);
  whole.writeBigUInt64LE(2_500_000_000n, shape + 8);
  const path = await put(await temporaryFolder(t), 'a.h5', whole);
  await truncate(path, whole.length + 10_000_000_000);
  const before = process.memoryUsage().arrayBuffers;
  const checkpoint = await opened(t, path);
  const name = 'a/b/c/d/deep';
  assert.deepEqual(checkpoint.tensors.get(name)?.shape, [2_500_000_000]);
  assert.deepEqual(await checkpoint.readRange(name, 2_499_999_999, 1), Float32Array.of(0));
  await assertUserError(checkpoint.readFloat32(name), UnsupportedError, /does not fit/);
  assert.ok(process.memoryUsage().arrayBuffers - before < 20e6);
});
