import assert from 'node:assert/strict';
import { open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { zipOf } from '../../../../support/zip';
import { assertUserError, put, seeded, temporaryFolder } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

const fixtures = formatFixture('numpy');

for (const name of ['types.npz', 'packed.npz']) {
  test(`${name} has the values that NumPy gave to safetensors`, async t => {
    const checkpoint = await opened(t, join(fixtures, name));
    await assertSameTensors(checkpoint, await opened(t, join(fixtures, 'types.safetensors')));
    assert.equal(checkpoint.tensors.get('big/f4')?.storedAs, '>f4');
    assert.equal(checkpoint.tensors.get('little/f4')?.storedAs, undefined);
    const notes = checkpoint.notes.map(({ message }) => message.replace(/^.*: the file /, ''));
    assert.deepEqual(notes, [
      '"words.npy" in it holds elements of type "<U2", which are no numbers here.',
      '"objects.npy" in it holds Python objects, which are pickles and never opened here.',
      '"records.npy" in it holds records of several fields.',
      '"half.npy" in it holds elements of 2 bytes without a type, as NumPy saves bfloat16.',
      '"wide.npy" in it holds elements of type "<c16", which are no numbers here.',
    ]);
  });
}

test('an array alone is a tensor under the name of its file', async t => {
  const checkpoint = await opened(t, join(fixtures, 'array.npy'));
  await assertSameTensors(checkpoint, await opened(t, join(fixtures, 'array.safetensors')));
});

test("parameters of transformers' Flax class in an archive are those of PyTorch's and grow", async t => {
  const path = join(fixtures, 'flax', 'flax_model.npz');
  const checkpoint = await opened(t, path);
  await assertSameTensors(checkpoint, await opened(t, join(fixtures, 'flax', 'model.safetensors')));
  const model = await openModel(path);
  assert.equal(model.architecture.family, 'bert');
  await model.checkpoint.close();
});

/** A file of an array of float32, with any header. */
function array(literal: string, bytes: number, { major = 1, headerBytes = 118 } = {}): Buffer {
  const length = Buffer.alloc(major === 1 ? 2 : 4);
  if (major === 1) length.writeUInt16LE(headerBytes);
  else length.writeUInt32LE(headerBytes);
  const text = Buffer.from(`${literal.padEnd(Math.min(headerBytes, 20_000) - 1)}\n`);
  const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0]);
  return Buffer.concat([magic, length, text, Buffer.alloc(bytes, 1)]);
}
const header = (shape: string, descr = "'<f4'", fortran = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

test('headers of every version and of old Pythons are read', async t => {
  const folder = await temporaryFolder(t);
  const good: readonly (readonly [Buffer, readonly number[]])[] = [
    [array(header('(2, 3)'), 24), [2, 3]],
    [array(header('(2L, 3L)'), 24, { major: 2 }), [2, 3]],
    [array(header('(6,)'), 24, { major: 3, headerBytes: 9_999 }), [6]],
    [array(header('()'), 4), []],
    [array(`{"shape":[2,1],"descr":"<f4","fortran_order":True}`, 8), [2, 1]],
  ];
  for (const [bytes, shape] of good) {
    const checkpoint = await opened(t, await put(folder, 'a.npy', bytes));
    assert.deepEqual(checkpoint.tensors.get('a')?.shape, shape);
  }
});

test('what follows an array is told', async t => {
  const path = await put(await temporaryFolder(t), 'a.npy', array(header('(1,)'), 7));
  const { notes } = await opened(t, path);
  assert.match(notes[0]!.message, /goes on for 3 bytes after its array/);
});

test('an array without numbers is refused, and no pickle is looked at', async t => {
  const folder = await temporaryFolder(t);
  for (const [descr, says] of [
    ["'|O'", /holds Python objects, which are pickles/],
    ["[('a', '<f4')]", /records of several fields/],
    ["'<M8[ns]'", /elements of type "<M8\[ns\]"/],
  ] as const) {
    const path = await put(folder, 'a.npy', array(header('(1,)', descr), 8));
    await assertUserError(openCheckpoint(path), UnsupportedError, says);
  }
});

const hostile: readonly (readonly [string, Buffer, RegExp])[] = [
  ['an unknown version', array(header('(1,)'), 4, { major: 4 }), /of version 4/],
  [
    'a header longer than any',
    array(header('(1,)'), 4, { major: 2, headerBytes: 2 ** 31 }),
    /states a header of 2147483648 bytes/,
  ],
  ['a header that is cut off', array(header('(1,)'), 0).subarray(0, 60), /header is not whole/],
  ['no dictionary', array('(1, 2)', 4), /no dictionary/],
  ['a call', array(`{'descr': __import__('os')}`, 4), /no plain Python literal/],
  ['an escape', array(header('(1,)', "'\\x3cf4'"), 4), /no plain Python literal/],
  ['something after it', array(`${header('(1,)')} + 1`, 4), /no plain Python literal/],
  ['a second literal', array(`${header('(1,)')} 1`, 4), /something follows it/],
  ['nesting without end', array('['.repeat(9_000), 0, { headerBytes: 9_001 }), /nests more than 8/],
  ['a key twice', array("{'shape': 1, 'shape': 2}", 4), /"shape" stands in it twice/],
  ['a key too many', array(`{'a': 1, ${header('(1,)').slice(1)}`, 4), /not descr, fortran_order/],
  ['no closing bracket', array("{'descr': (1, 2", 4), /"," is missing/],
  ['a size below 0', array(header('(-1,)'), 4), /no usable shape/],
  ['a size that is no number', array(header("('a',)"), 4), /no usable shape/],
  [
    'axes without end',
    array(header(`(${'1,'.repeat(33)})`), 4, { headerBytes: 200 }),
    /no usable shape/,
  ],
  ['an order that is no truth', array(header('(1,)', "'<f4'", '0'), 4), /no usable fortran_order/],
  ['2⁶⁰ elements', array(header('(1073741824, 1073741824)'), 4), /more elements than any file/],
  [
    'more elements than bytes',
    array(header('(2,)'), 4),
    /is truncated: it ends at byte 136 of 132/,
  ],
];

for (const [what, bytes, says] of hostile) {
  test(`an array with ${what} is refused, alone and in an archive`, async t => {
    const folder = await temporaryFolder(t);
    const alone = await put(folder, 'a.npy', bytes);
    await assertUserError(openCheckpoint(alone), CorruptFileError, says);
    const packed = await put(folder, 'a.npz', zipOf([{ name: 'a.npy', bytes }]));
    const error = await assertUserError(openCheckpoint(packed), CorruptFileError, says);
    assert.match(error.message, /a\.npz: the file "a\.npy" in it/);
  });
}

const one = array(header('(1,)'), 4);

test('archives that lie are refused', async t => {
  const folder = await temporaryFolder(t);
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [zipOf([{ name: 'a.npy', bytes: one, claimedBytes: 2 ** 31 }]), /cannot hold/],
    [zipOf([1, 2].map(() => ({ name: 'a.npy', bytes: one }))), /"a\.npy" stands in it twice/],
    [zipOf([{ name: 'a.npy', bytes: one }]).subarray(0, -30), /cannot be used/],
    [zipOf([{ name: '../a.npy', bytes: one }]), /cannot be used: invalid relative path/],
    [zipOf([{ name: 'C:a.npy', bytes: one }]), /looks like a path|invalid|absolute/],
    [
      zipOf(Array.from({ length: 10_001 }, (_, i) => ({ name: `${i}.npy`, bytes: one }))),
      /holds 10001 files/,
    ],
  ];
  for (const [bytes, says] of cases) {
    const path = await put(folder, 'a.npz', bytes);
    await assertUserError(openCheckpoint(path), CorruptFileError, says);
  }
});

test('a bomb is inflated no further than is asked for', async t => {
  const bytes = 300_000_000;
  const zeros = array(header(`(${bytes / 4},)`), 0);
  const bomb = zipOf([{ name: 'a.npy', bytes: Buffer.concat([zeros, Buffer.alloc(bytes)]) }]);
  const checkpoint = await opened(t, await put(await temporaryFolder(t), 'a.npz', bomb));
  const before = process.memoryUsage().arrayBuffers;
  assert.deepEqual(await checkpoint.readRange('a', 70_000_000, 2), Float32Array.of(0, 0));
  assert.ok(process.memoryUsage().arrayBuffers - before < 150e6);
});

test('deflated bytes that are damaged are an error when they are read', async t => {
  const bytes = await readFile(join(fixtures, 'flax', 'flax_model.npz'));
  const folder = await temporaryFolder(t);
  const noise = Buffer.from(Array.from({ length: 20_000 }, seeded(1)));
  const whole = zipOf([
    { name: 'a.npy', bytes: Buffer.concat([array(header('(5000,)'), 0), noise]) },
  ]);
  whole.fill(0xff, 15_000, 15_200);
  const checkpoint = await opened(t, await put(folder, 'a.npz', whole));
  await assertUserError(checkpoint.readFloat32('a'), CorruptFileError, /is damaged/);
  const cut = await put(folder, 'b.npz', bytes);
  await truncate(cut, bytes.length - 100);
  await assertUserError(openCheckpoint(cut), CorruptFileError, /b\.npz cannot be used/);
});

/** An archive of zip64 that holds one file of so many bytes, sparse but for its beginning. */
async function largeArchive(path: string, begin: Buffer, bytes: number): Promise<void> {
  const name = Buffer.from('a.npy');
  const sizes = Buffer.alloc(4 + 16);
  sizes.writeUInt16LE(1, 0);
  sizes.writeUInt16LE(16, 2);
  sizes.writeBigUInt64LE(BigInt(bytes), 4);
  sizes.writeBigUInt64LE(BigInt(bytes), 12);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(45, 0);
  common.writeUInt32LE(0xffffffff, 14);
  common.writeUInt32LE(0xffffffff, 18);
  common.writeUInt16LE(name.length, 22);
  common.writeUInt16LE(sizes.length, 24);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, sizes]);
  const madeBy = Buffer.from('PK\x01\x02\x2d\x00', 'latin1');
  const entry = Buffer.concat([madeBy, common, Buffer.alloc(14), name, sizes]);
  const directoryAt = BigInt(local.length + bytes);
  const end64 = Buffer.alloc(56);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(1n, 24);
  end64.writeBigUInt64LE(1n, 32);
  end64.writeBigUInt64LE(BigInt(entry.length), 40);
  end64.writeBigUInt64LE(directoryAt, 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(directoryAt + BigInt(entry.length), 8);
  locator.writeUInt32LE(1, 16);
  const end = Buffer.alloc(22, 0xff);
  end.write('PK\x05\x06\0\0\0\0', 'latin1');
  end.writeUInt16LE(0, 20);
  const file = await open(path, 'w');
  try {
    await file.write(Buffer.concat([local, begin]), 0, null, 0);
    await file.write(Buffer.concat([entry, end64, locator, end]), 0, null, Number(directoryAt));
  } finally {
    await file.close();
  }
}

test('a sparse archive of 10 GB, as zip64, opens by its directory alone', async t => {
  const count = 2_500_000_000;
  const begin = array(header(`(${count},)`), 0);
  const path = join(await temporaryFolder(t), 'a.npz');
  await largeArchive(path, begin, begin.length + 4 * count);
  const before = process.memoryUsage().arrayBuffers;
  const checkpoint = await opened(t, path);
  assert.equal(checkpoint.bytes, 4 * count);
  assert.deepEqual(await checkpoint.readRange('a', count - 2, 2), Float32Array.of(0, 0));
  assert.ok(process.memoryUsage().arrayBuffers - before < 20e6);
});
