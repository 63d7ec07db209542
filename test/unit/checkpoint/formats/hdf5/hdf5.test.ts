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
    '"elsewhere" is not listed, because its values lie in another file, which HDF5 would look for anywhere.',
    '"named" is not listed, because what it holds is described in another place of the file (a named type).',
    '"packed" is not listed, because it is packed by lzf.',
    '"records" is not listed, because its elements are no plain numbers.',
    '"words" is not listed, because its elements are no plain numbers.',
  ]);
});

for (const name of ['chunked', 'latest']) {
  test(`data sets in chunks of ${name}.h5 have the values that h5py gave to safetensors`, async t => {
    const path = formatFixture(`hdf5/${name}.h5`);
    const checkpoint = await opened(t, path);
    await assertSameTensors(checkpoint, await opened(t, formatFixture(`hdf5/${name}.safetensors`)));
    assert.deepEqual(checkpoint.files, [path]);
    assert.deepEqual(
      checkpoint.notes.map(({ message }) => message.replace(path, '')),
      [' has 2 links that are not followed: "outside", "soft".'],
    );
  });
}

test("weights of transformers' TensorFlow class have the tensors of PyTorch's and grow", async t => {
  const path = join(bert, 'tf_model.h5');
  const checkpoint = await opened(t, path);
  await assertSameTensors(checkpoint, await opened(t, join(bert, 'model.safetensors')));
  const model = await openModel(path);
  assert.equal(model.architecture.family, 'bert');
  await model.checkpoint.close();
});

/** A fixture with eight bytes after the n-th place of a text overwritten by a number. */
async function changed(
  text: string,
  after: number,
  value: bigint,
  { nth = 0, file = types }: { readonly nth?: number; readonly file?: string } = {},
): Promise<Buffer> {
  const bytes = await readFile(file);
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
  newer[8] = 4;
  const narrow = Buffer.from(whole);
  narrow[13] = 4;
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['a root of 2⁶⁴', await changed('\x89HDF', 64, 2n ** 64n - 1n), /truncated/],
    ['a base that is not 0', await changed('\x89HDF', 24, 8n), /count from its beginning/],
    ['a version of the future', newer, /version 4 of HDF5's files; up to 3 are read/],
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

const older = formatFixture('hdf5/chunked.h5');
const newest = formatFixture('hdf5/latest.h5');

test('lists of chunks, trees and heaps that lie are refused', async t => {
  const folder = await temporaryFolder(t);
  const [inOlder, inNewest] = [await readFile(older), await readFile(newest)];
  const placeOf = (bytes: Buffer, text: string): number => {
    const at = bytes.indexOf(text, 0, 'latin1');
    assert.ok(at >= 0, text);
    return at;
  };
  /** With what lies some bytes after a text set to a number. */
  const lying = async (
    text: string,
    after: number,
    value: bigint | number,
    file = newest,
  ): Promise<Buffer> => changed(text, after, BigInt(value), { file });
  // A tree of chunks of a level above the leaves, whose first child is made itself; keys of one axis.
  const upper = placeOf(inOlder, 'TREE\x01\x01');
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    [
      'a tree of chunks that leads to itself',
      await lying('TREE\x01\x01', 24 + 24, upper, older),
      /back to itself/,
    ],
    ['a chunk behind the end', await lying('TREE\x01\0', 24 + 32, 2n ** 60n, older), /truncated/],
    [
      'a chunk between chunks',
      await lying('TREE\x01\0', 24 + 8, 1n, older),
      /a chunk in it begins where none can|two chunks in one place/,
    ],
    [
      'a packed chunk that its bytes cannot hold',
      await lying('FAHD\0\x01', 16, 2n ** 60n),
      /truncated/,
    ],
    ['an array of another length', await lying('FAHD\0\0', 8, 5n), /another length/],
    ['an array of 2⁶³ chunks', await lying('FAHD\0\0', 8, 2n ** 63n), /another length/],
    ['an array that is none', await lying('FADB', 0, 0n), /no FADB where one should be/],
    [
      'an array that grew without end',
      await lying('EAHD\0\0', 44, 2n ** 62n),
      /more than 1000000 chunks/,
    ],
    ['an index block behind the end', await lying('EAHD\0\0', 60, 2n ** 50n), /truncated/],
    ['a tree of 2⁶³ records', await lying('BTHD\0\x0a', 26, 2n ** 63n), /a tree in it is none/],
    [
      'a tree whose root is its header',
      await lying('BTHD\0\x0a', 16, placeOf(inNewest, 'BTHD\0\x0a')),
      /no BTIN|no BTLF/,
    ],
    [
      'a tree that leads to itself',
      // Records of 24 bytes before the address of the first child.
      selfLeading(inNewest),
      /back to itself|no BTLF/,
    ],
    ['a heap behind the end', await lying('FRHP', 132, 2n ** 60n), /truncated/],
    [
      'a heap whose blocks lie in themselves',
      await lying('FHIB', 13 + 4, placeOf(inNewest, 'FHIB')),
      /no FHDB where one should be|too deep/,
    ],
    ['a heap without a width', await lying('FRHP', 110, 0n), /a heap in it is none/],
    [
      'a list of links that is no link',
      await lying('FHDB', 18, 0n),
      /a link in it|a name in it|truncated|no object/,
    ],
  ];
  for (const [what, bytes, says] of cases) {
    const path = await put(folder, 'a.h5', bytes);
    const error = await assertUserError(openCheckpoint(path), CorruptFileError, says);
    assert.match(error.message, /a\.h5 is an HDF5 file and cannot be used/, what);
  }
});

/** A file whose first tree of chunks with levels has its root as the root's own first child. */
function selfLeading(whole: Buffer): Buffer {
  const bytes = Buffer.from(whole);
  const at = bytes.indexOf('BTIN\0\x0a', 0, 'latin1');
  assert.ok(at >= 0);
  const head = bytes.indexOf('BTHD\0\x0a', 0, 'latin1');
  for (let i = head; i >= 0; i = bytes.indexOf('BTHD\0\x0a', i + 1, 'latin1')) {
    const root = Number(bytes.readBigUInt64LE(i + 16));
    if (root !== at) continue;
    const records = bytes.readUInt16LE(i + 24);
    bytes.writeBigUInt64LE(BigInt(at), at + 6 + 24 * records);
    return bytes;
  }
  throw new Error('no such tree');
}

test('chunks that do not unpack to what they should hold are refused when they are read', async t => {
  const folder = await temporaryFolder(t);
  const whole = await readFile(older);
  const path = await put(folder, 'a.h5', whole);
  const damaged = async (name: string, find: Buffer): Promise<void> => {
    const at = whole.indexOf(find);
    assert.ok(at >= 0, name);
    const bytes = Buffer.from(whole);
    bytes[at + 6]! ^= 0xff;
    await put(folder, 'a.h5', bytes);
    const checkpoint = await opened(t, path);
    await assertUserError(
      checkpoint.readFloat32(name),
      CorruptFileError,
      /a chunk of "[a-z]+" \(from byte \d+\) is damaged/,
    );
  };
  const expected = await opened(t, formatFixture('hdf5/chunked.safetensors'));
  const odd = await expected.readBytes('odd');
  await damaged('odd', Buffer.from(odd.subarray(0, 5)));
});

test('a chunk of zeros takes no more memory than the chunk, and one that claims more is refused', async t => {
  const folder = await temporaryFolder(t);
  const whole = await readFile(older);
  // The 4 × 3 × 5 × 8 elements of a chunk: its shape in the layout message becomes larger than what is stored can be.
  const layout = Buffer.from([3, 2, 3]);
  const at = whole.indexOf(layout);
  assert.ok(at >= 0);
  const bytes = Buffer.from(whole);
  bytes.writeUInt32LE(2 ** 27, at + 11);
  const path = await put(folder, 'a.h5', bytes);
  const { notes } = await opened(t, path);
  assert.match(
    notes[0]!.message,
    /is not listed, because its chunks take \d+ bytes each; at most 268435456 are read/,
  );
  bytes.writeUInt32LE(2 ** 20, at + 11);
  await put(folder, 'a.h5', bytes);
  await assertUserError(
    openCheckpoint(path),
    CorruptFileError,
    /a chunk in it takes \d+ bytes, which cannot hold the \d+ that it should|begins where none can/,
  );
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
