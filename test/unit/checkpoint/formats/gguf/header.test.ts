import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';

import { listCheckpoint, openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError, UserError } from '../../../../../src/errors';
import { assertUserError, put, temporaryFolder } from '../../files';
import {
  asText,
  asTexts,
  asU32,
  asU64,
  gguf,
  ggufFixture,
  u32,
  u64,
  type GgufParts,
} from './ggufFile';

const vector = { name: 'a', axes: [4] };
const second = { name: 'b', axes: [4], offset: 32 };
const whole: GgufParts = { tensors: [vector, second], data: Buffer.alloc(48, 1) };

async function refuse(
  t: TestContext,
  bytes: Buffer,
  kind: typeof UserError,
  says: RegExp,
): Promise<void> {
  const path = await put(await temporaryFolder(t), 'model.gguf', bytes);
  const error = await assertUserError(openCheckpoint(path), kind, says);
  assert.ok(error.message.startsWith(path), error.message);
}

test('metadata and tensors of the reference package are listed, the slowest axis first', async () => {
  const checkpoint = await openCheckpoint(ggufFixture('kinds.gguf'));
  try {
    const { metadata, tensors } = checkpoint;
    assert.equal(metadata['test.greeting'], 'grüß Gott');
    assert.equal(metadata['test.words'], '(3 × string)');
    assert.deepEqual(tensors.get('cube')?.shape, [2, 3, 4]);
    assert.deepEqual(tensors.get('q4_k')?.shape, [2, 512]);
    assert.equal(tensors.get('q4_k')?.bytes, 4 * 144);
    assert.equal(tensors.get('bf16')?.type, 'BF16');
  } finally {
    await checkpoint.close();
  }
});

for (const version of [2, 3]) {
  test(`version ${version} is read`, async t => {
    const path = await put(await temporaryFolder(t), 'x', gguf({ ...whole, version }));
    const checkpoint = await openCheckpoint(path);
    assert.deepEqual([...checkpoint.tensors.keys()], ['a', 'b']);
    assert.equal((await checkpoint.readFloat32('b')).length, 4);
    await checkpoint.close();
  });
}

test('a file whose count of tensors looks like the beginning of JSON is still read', async t => {
  const tensors = Array.from({ length: 0x7b }, (_, i) => ({ name: `t${i}`, axes: [0] }));
  const checkpoint = await openCheckpoint(
    await put(await temporaryFolder(t), 'x', gguf({ tensors })),
  );
  assert.equal(checkpoint.tensors.size, 0x7b);
  await checkpoint.close();
});

test('an alignment of its own places the tensors', async t => {
  const parts: GgufParts = {
    values: [['general.alignment', asU32(8)]],
    tensors: [vector, { ...second, offset: 16 }],
    data: Buffer.from(Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]).buffer),
    alignment: 8,
  };
  const checkpoint = await openCheckpoint(await put(await temporaryFolder(t), 'x', gguf(parts)));
  assert.deepEqual([...(await checkpoint.readFloat32('b'))], [5, 6, 7, 8]);
  await checkpoint.close();
});

const huge = 2n ** 63n;
const list = (kind: number, count: number | bigint, ...items: Buffer[]): Buffer =>
  Buffer.concat([u32(9), u32(kind), u64(count), ...items]);
const inner = (kind: number, count: number, ...items: Buffer[]): Buffer =>
  Buffer.concat([u32(kind), u64(count), ...items]);

/** Hostile files: what they are, their parts, what is said. */
const hostile: readonly (readonly [string, GgufParts, RegExp])[] = [
  ['2^63 tensors', { tensorCount: huge }, /more than 2\^53 tensors/],
  ['a million tensors', { tensorCount: 1e6 }, /states 1000000 tensors, more than its header/],
  ['2^63 entries of metadata', { keyCount: huge }, /more than 2\^53 entries of metadata/],
  ['more entries than there are', { ...whole, keyCount: 3 }, /of a metadata entry is empty/],
  ['an empty name', { values: [['', asU32(1)]] }, /of a metadata entry is empty/],
  [
    'a text of 2^63 bytes',
    { values: [['k', Buffer.concat([u32(8), u64(huge)])]] },
    /2\^53 bytes of the metadata entry "k"/,
  ],
  ['a text that is no UTF-8', { values: [['k', asText(Buffer.from([0xff]))]] }, /not UTF-8/],
  [
    'a kind of value that is not known',
    { values: [['k', u32(13)]] },
    /kind 13, which is not known/,
  ],
  ['2^63 texts', { values: [['k', list(8, huge)]] }, /more than 2\^53 items/],
  ['more numbers than bytes', { values: [['k', list(4, 1000)]] }, /1000 items of the metadata/],
  ['texts without an end', { values: [['k', list(8, 1, u64(huge))]] }, /truncated/],
  [
    'lists in lists in lists',
    { values: [['k', list(9, 1, inner(9, 1, inner(9, 1, inner(9, 1, inner(4, 0)))))]] },
    /more than 4 lists deep/,
  ],
  [
    'the same entry twice',
    {
      values: [
        ['k', asU32(1)],
        ['k', asU32(2)],
      ],
    },
    /"k" stands in it twice/,
  ],
  [
    'an entry named after a prototype',
    { values: [['__proto__', asU32(1)]] },
    /__proto__.*reserved/,
  ],
  [
    'the same tensor twice',
    { ...whole, tensors: [vector, { ...second, name: 'a' }] },
    /two tensors/,
  ],
  ['a tensor named like a path', { ...whole, tensors: [{ ...vector, name: '../a' }] }, /path/],
  ['33 axes', { ...whole, tensors: [{ ...vector, axes: Array<number>(33).fill(1) }] }, /33 axes/],
  ['2^63 elements', { ...whole, tensors: [{ ...vector, axes: [huge] }] }, /more elements/],
  [
    '2^60 elements by two axes',
    { ...whole, tensors: [{ ...vector, axes: [2 ** 30, 2 ** 30] }] },
    /more elements/,
  ],
  [
    'none times 2^63 elements',
    { ...whole, tensors: [{ ...vector, axes: [0, huge] }] },
    /more elements/,
  ],
  [
    'rows that are no blocks',
    { ...whole, tensors: [{ ...vector, axes: [4], kind: 2 }] },
    /rows of 4/,
  ],
  ['a tensor behind the end', { ...whole, tensors: [{ ...vector, offset: 64 }] }, /truncated.*"a"/],
  ['a tensor at 2^63', { ...whole, tensors: [{ ...vector, offset: huge }] }, /beyond all bytes/],
  ['a crooked offset', { ...whole, tensors: [{ ...vector, offset: 4 }] }, /no multiple of 32/],
  ['tensors over each other', { ...whole, tensors: [vector, { ...second, offset: 0 }] }, /overlap/],
  ['alignment 0', { values: [['general.alignment', asU32(0)]] }, /no power of two/],
  ['alignment 24', { values: [['general.alignment', asU32(24)]] }, /no power of two/],
  ['alignment 2^62', { values: [['general.alignment', asU64(2n ** 62n)]] }, /no power of two/],
  ['alignment "x"', { values: [['general.alignment', asText('x')]] }, /no power of two/],
];

for (const [what, parts, says] of hostile) {
  test(`a file with ${what} is refused`, t => refuse(t, gguf(parts), CorruptFileError, says));
}

test('versions and byte orders that are not read are refused by name', async t => {
  await refuse(t, gguf({ ...whole, version: 1 }), UnsupportedError, /version 1; versions 2 and 3/);
  await refuse(t, gguf({ ...whole, version: 4 }), UnsupportedError, /version 4/);
  const swapped = gguf({ ...whole, version: Buffer.from([0, 0, 0, 3]) });
  await refuse(t, swapped, UnsupportedError, /big-endian/);
});

test('a way to quantise that is not known is refused', async t => {
  const bytes = gguf({ ...whole, tensors: [{ ...vector, kind: 99 }] });
  await refuse(t, bytes, UnsupportedError, /"a" is quantised in a way that is not known \(99\)/);
});

test('a file that ends anywhere in its header or its data is refused', async t => {
  const values = [
    ['general.name', asText('x')],
    ['words', asTexts(['one', 'two'])],
  ] as const;
  const bytes = gguf({ ...whole, values });
  const folder = await temporaryFolder(t);
  for (let length = 8; length < bytes.length; length++) {
    const path = await put(folder, 'cut.gguf', bytes.subarray(0, length));
    await assertUserError(openCheckpoint(path), CorruptFileError, /truncated|can hold|states/);
  }
});

test('a header of a hundred million bytes is too long', async t => {
  const path = await put(
    await temporaryFolder(t),
    'long.gguf',
    gguf({ values: [['k', Buffer.concat([u32(9), u32(0), u64(2 ** 28)])]] }),
  );
  const file = await open(path, 'r+');
  await file.truncate(2 ** 30);
  await file.close();
  await assertUserError(openCheckpoint(path), CorruptFileError, /268435456 items of the metadata/);
});

test('of a file of 10 GB with 150,000 tokens little more is read than the header', async t => {
  const tokens = Array.from({ length: 150_000 }, (_, i) => `token${i}`);
  const bytes = gguf({
    values: [
      ['tokenizer.ggml.tokens', asTexts(tokens)],
      ['last', asText('the end')],
    ],
    tensors: [{ name: 'a', axes: [2 ** 16, 40_000] }],
  });
  const path = await put(await temporaryFolder(t), 'large.gguf', bytes);
  const file = await open(path, 'r+');
  await file.truncate(bytes.length + 2 ** 18 * 40_000);
  await file.close();
  const { arrayBuffers } = process.memoryUsage();
  const checkpoint = await listCheckpoint(path);
  assert.equal(checkpoint.metadata['last'], 'the end');
  assert.equal(checkpoint.bytes, 2 ** 18 * 40_000);
  const held = process.memoryUsage().arrayBuffers - arrayBuffers;
  assert.ok(held < 20e6, `${held} bytes`);
  assert.equal((await checkpoint.readRange('a', 2 ** 31, 3)).length, 3);
  await checkpoint.close();
});

test('a folder whose only weights are one GGUF file is opened by its name; several are asked about', async t => {
  const folder = await temporaryFolder(t);
  await put(folder, 'model.Q8_0.gguf', gguf(whole));
  const checkpoint = await openCheckpoint(folder);
  assert.deepEqual([...checkpoint.tensors.keys()], ['a', 'b']);
  await checkpoint.close();
  await put(folder, 'model.F16.gguf', gguf(whole));
  await assertUserError(openCheckpoint(folder), UserError, /several checkpoints: model.F16.gguf, /);
});
