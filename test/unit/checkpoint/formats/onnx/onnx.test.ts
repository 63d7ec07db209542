import assert from 'node:assert/strict';
import { copyFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import {
  listCheckpoint,
  openCheckpoint,
  type Checkpoint,
} from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError, UserError } from '../../../../../src/errors';
import { assertUserError, put, temporaryFolder } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

const fixtures = formatFixture('onnx');

async function listed(t: TestContext, path: string): Promise<Checkpoint> {
  const checkpoint = await listCheckpoint(path);
  t.after(() => checkpoint.close());
  return checkpoint;
}

for (const name of ['model', 'external']) {
  test(`the initialisers of ${name}.onnx have the values that onnx was given`, async t => {
    const checkpoint = await listed(t, join(fixtures, `${name}.onnx`));
    await assertSameTensors(checkpoint, await opened(t, join(fixtures, `${name}.safetensors`)));
  });
}

test('what cannot be listed is told, and why it is not grown', async t => {
  const path = join(fixtures, 'model.onnx');
  const { notes, metadata } = await listed(t, path);
  assert.match(notes[0]!.message, /1 tensor of text or packed .*: "words"/);
  assert.equal(metadata['producer'], 'make.py');
  await assertUserError(
    openCheckpoint(path),
    UnsupportedError,
    /ONNX graph.*cannot be grown, because/,
  );
});

test('a change of the file that holds the values is noticed', async t => {
  const folder = await temporaryFolder(t);
  for (const name of ['external.onnx', 'weights.bin']) {
    await copyFile(join(fixtures, name), join(folder, name));
  }
  const path = join(folder, 'external.onnx');
  const checkpoint = await listed(t, path);
  const sum = await checkpoint.sha256();
  await truncate(join(folder, 'weights.bin'), 100);
  const says = /weights\.bin changed after/;
  await assertUserError(checkpoint.readBytes('layer.0'), CorruptFileError, says);
  await assertUserError(checkpoint.requireUnchanged(sum), CorruptFileError, /weights\.bin was/);
  await assertUserError(listCheckpoint(path), CorruptFileError, /does not lie in "weights\.bin"/);
});

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field * 8), ...varint(value)]);
const bytes = (field: number, ...content: (Buffer | string)[]): Buffer => {
  const inside = Buffer.concat(content.map(part => Buffer.from(part)));
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(inside.length)]), inside]);
};
const model = (...graph: Buffer[]): Buffer =>
  Buffer.concat([number(1, 8), bytes(2, 'test'), bytes(7, ...graph)]);
const tensor = (...fields: Buffer[]): Buffer => bytes(5, ...fields);
const named = (name: string): Buffer => bytes(8, name);
const f32 = number(2, 1);
const four = bytes(9, Buffer.alloc(4));
const place = (location: string, offset = '0', length = '4'): Buffer[] =>
  Object.entries({ location, offset, length }).map(([key, value]) =>
    bytes(13, bytes(1, key), bytes(2, value)),
  );

test('names that begin with a slash are listed without it', async t => {
  const graph = model(tensor(named('/layer/Constant_output_0'), f32, number(1, 1), four));
  const { tensors } = await listed(t, await put(await temporaryFolder(t), 'a.onnx', graph));
  assert.deepEqual([...tensors.keys()], ['layer/Constant_output_0']);
});

test('sparse tensors are counted', async t => {
  const path = await put(await temporaryFolder(t), 'a.onnx', model(bytes(15), bytes(15)));
  assert.match((await listed(t, path)).notes[0]!.message, /2 sparse tensors are not listed/);
});

const hostile: readonly (readonly [string, Buffer, RegExp])[] = [
  ['two graphs', Buffer.concat([model(), bytes(7)]), /it has two graphs/],
  ['a graph that is cut off', model(tensor(named('a'), f32, four)).subarray(0, -3), /truncated/],
  [
    'a field of 2⁶³ bytes',
    Buffer.concat([
      number(1, 8),
      bytes(2, 'x'),
      Buffer.from([0x3a, ...new Array<number>(9).fill(255), 1]),
    ]),
    /truncated/,
  ],
  [
    'a number without end',
    Buffer.concat([number(1, 8), bytes(2, 'x'), Buffer.alloc(20, 0xff)]),
    /goes on for ever/,
  ],
  [
    'a field without a number',
    Buffer.concat([number(1, 8), bytes(2, 'x'), Buffer.from([2, 0])]),
    /has no number/,
  ],
  ['a group', Buffer.concat([number(1, 8), bytes(2, 'x'), Buffer.from([0x0b])]), /unknown way/],
  [
    'fields without end',
    Buffer.concat([number(1, 8), bytes(2, 'x'), Buffer.alloc(4_100_000, 0x08).fill(1, 3)]),
    /more than 2000000 fields|no number/,
  ],
  ['a tensor without a name', model(tensor(f32, four)), /name "" is empty/],
  ['a name that leads out', model(tensor(named('a/../b'), f32, four)), /looks like a path/],
  ['a name that is not UTF-8', model(tensor(bytes(8, Buffer.from([0xff])), f32)), /is not UTF-8/],
  ['a name without end', model(tensor(named('a'.repeat(3000)), f32, four)), /longer than 2048/],
  [
    'a name twice',
    model(tensor(named('a'), f32, four), tensor(named('a'), f32, four)),
    /"a" stands in it twice/,
  ],
  [
    'axes without end',
    model(tensor(named('a'), ...new Array<Buffer>(40).fill(number(1, 1)))),
    /more than 32 axes/,
  ],
  [
    'packed axes without end',
    model(tensor(named('a'), bytes(1, Buffer.alloc(400, 1)))),
    /more than 32 axes/,
  ],
  [
    '2⁶⁰ elements',
    model(tensor(named('a'), f32, number(1, 2 ** 40), number(1, 2 ** 40), four)),
    /more elements/,
  ],
  [
    'more elements than bytes',
    model(tensor(named('a'), f32, number(1, 2), four)),
    /does not take the 4 bytes/,
  ],
  ['no values', model(tensor(named('a'), f32, number(1, 2))), /has no values/],
  ['values twice', model(tensor(named('a'), f32, four, four)), /one by one/],
  [
    'a place that leads out',
    model(tensor(named('a'), f32, ...place('../x'))),
    /leads out of the folder/,
  ],
  ['a place without a file', model(tensor(named('a'), f32, ...place(''))), /name "" .*is empty/],
  [
    'a place behind the end',
    model(tensor(named('a'), f32, ...place('a.onnx', '9999'))),
    /does not lie in/,
  ],
  [
    'a place that is no number',
    model(tensor(named('a'), f32, ...place('a.onnx', '1e3'))),
    /does not lie in/,
  ],
];

for (const [what, content, says] of hostile) {
  test(`an ONNX file with ${what} is refused`, async t => {
    const path = await put(await temporaryFolder(t), 'a.onnx', content);
    await assertUserError(listCheckpoint(path), CorruptFileError, says);
  });
}

test('numbers one by one that are not whole fail when they are read', async t => {
  const graph = model(
    tensor(named('a'), number(2, 7), number(1, 2), bytes(7, Buffer.from([1, 0x81]))),
  );
  const checkpoint = await listed(t, await put(await temporaryFolder(t), 'a.onnx', graph));
  await assertUserError(checkpoint.readBytes('a'), CorruptFileError, /does not hold the numbers/);
});

test('other protobufs that begin alike are called what they are', async t => {
  const folder = await temporaryFolder(t);
  const saved = Buffer.concat([number(1, 1), bytes(2, Buffer.alloc(500))]);
  const path = await put(folder, 'saved_model.pb', saved);
  await assertUserError(listCheckpoint(path), UnsupportedError, /TensorFlow SavedModel/);
  const core = Buffer.concat([number(1, 5), bytes(2, 'x'), bytes(500, Buffer.alloc(9))]);
  await assertUserError(listCheckpoint(await put(folder, 'a.mlmodel', core)), UserError, /Core ML/);
});

test('a sparse file of 10 GB opens by its names alone', async t => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.onnx');
  const count = 2_500_000_000;
  const data = Buffer.from([9 * 8 + 2, ...varint(4 * count)]);
  const fields = Buffer.concat([number(1, count), f32, named('a'), data]);
  const size = fields.length + 4 * count;
  const inside = Buffer.concat([Buffer.from([5 * 8 + 2, ...varint(size)]), fields]);
  const graph = Buffer.from([7 * 8 + 2, ...varint(inside.length + 4 * count)]);
  const begin = Buffer.concat([number(1, 8), bytes(2, 'x'), graph, inside]);
  await put(folder, 'a.onnx', begin);
  await truncate(path, begin.length + 4 * count);
  const checkpoint = await listed(t, path);
  assert.deepEqual(await checkpoint.readRange('a', count - 1, 1), Float32Array.of(0));
});
