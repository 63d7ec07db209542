import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { assertUserError, put, temporaryFolder } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

for (const family of ['bert', 'gpt2', 'vit']) {
  const folder = formatFixture(`flax/${family}`);
  const path = join(folder, 'flax_model.msgpack');
  test(`parameters of transformers' Flax class of ${family} are those of PyTorch's and grow`, async t => {
    const checkpoint = await opened(t, path);
    await assertSameTensors(checkpoint, await opened(t, join(folder, 'model.safetensors')));
    const model = await openModel(path);
    assert.equal(model.architecture.family, family);
    await model.checkpoint.close();
  });
}

test('every type, numbers and arrays in pieces have the values that Flax was given', async t => {
  const checkpoint = await opened(t, formatFixture('flax/types.msgpack'));
  await assertSameTensors(checkpoint, await opened(t, formatFixture('flax/types.safetensors')));
});

type Value = string | number | Buffer | readonly Value[] | { readonly [key: string]: Value };

/** A value as msgpack has it; bytes are put in as they are. */
function packed(value: Value): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'number') return sized(0xce, 4, value);
  if (typeof value === 'string') {
    return Buffer.concat([sized(0xdb, 4, Buffer.byteLength(value)), Buffer.from(value)]);
  }
  if (Array.isArray(value)) {
    const items = value as readonly Value[];
    return Buffer.concat([sized(0xdd, 4, items.length), ...items.map(packed)]);
  }
  const entries = Object.entries(value);
  return Buffer.concat([
    Buffer.from([0x80 | entries.length]),
    ...entries.flatMap(([key, item]) => [
      Buffer.from([0xa0 | key.length]),
      Buffer.from(key),
      packed(item),
    ]),
  ]);
}

function sized(first: number, bytes: number, size: number): Buffer {
  const out = Buffer.alloc(1 + bytes, first);
  out.writeUIntBE(size, 1, bytes);
  return out;
}

const bytes = (count: number): Buffer =>
  Buffer.concat([sized(0xc6, 4, count), Buffer.alloc(count, 1)]);

function extension(
  content: Value,
  { code = 1, length }: { code?: number; length?: number } = {},
): Buffer {
  const inside = packed(content);
  return Buffer.concat([sized(0xc9, 4, length ?? inside.length), Buffer.from([code]), inside]);
}

const array = (shape: readonly number[], count: number, dtype = 'float32'): Buffer =>
  extension([shape, dtype, bytes(count)]);

test('lists, other extensions and values of all kinds are passed over', async t => {
  const others = [
    ...[0xc0, 0xc2, 0xc3, 0xe1].map(byte => Buffer.from([byte])),
    ...(
      [
        [0xca, 4],
        [0xcb, 8],
        [0xd0, 1],
        [0xd1, 2],
        [0xd2, 4],
        [0xd3, 8],
        [0xcf, 8],
      ] as const
    ).map(([first, size]) => Buffer.alloc(1 + size, first)),
    ...[0, 1, 2, 3, 4].map(power =>
      Buffer.concat([Buffer.from([0xd4 + power, 9]), Buffer.alloc(1 << power)]),
    ),
    extension('x', { code: 2 }),
    'text',
    bytes(70_000),
    array([1], 4),
  ];
  const tree = packed({ list: others, last: array([2], 8) });
  const path = await put(await temporaryFolder(t), 'x.msgpack', tree);
  const { tensors } = await opened(t, path);
  assert.deepEqual([...tensors.keys()], ['list/19', 'last']);
});

const chunked = (shape: Value, chunks: Value): Buffer =>
  packed({
    a: packed({ x: { b: 1 } }),
    c: Buffer.concat([
      Buffer.from([0x83]),
      ...[
        ['__msgpack_chunked_array__', Buffer.from([0xc3])],
        ['shape', shape],
        ['chunks', chunks],
      ].flatMap(([key, value]) => [packed(key!), packed(value!)]),
    ]),
  });

const hostile: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    '2³² entries',
    Buffer.concat([packed({ a: 1 }).fill(0x81, 0, 1), Buffer.from([0])]),
    /follows its end/,
  ],
  ['a map that ends early', packed({ aaaa: { bbbb: 1 } }).subarray(0, 8), /is truncated/],
  [
    'a key twice',
    Buffer.from('\x82\xa1a\x01\xa1a\x01\xc0'.slice(0, 7), 'latin1'),
    /"a" stands in it twice/,
  ],
  [
    'a key that is no text',
    Buffer.from('\x82\xa1a\x01\x01\x01\x01', 'latin1'),
    /name in it is no text/,
  ],
  [
    'a key without end',
    packed({ a: Buffer.concat([Buffer.from([0x81]), sized(0xdb, 4, 2 ** 31)]) }),
    /longer than 1024/,
  ],
  ['a byte that means nothing', packed({ aaaaa: Buffer.from([0xc1]) }), /is no msgpack/],
  ['lists in lists', packed({ a: Buffer.alloc(100_000, 0x91) }), /nests more than 64/],
  [
    'values without end',
    packed({ a: Buffer.concat([sized(0xdd, 4, 2 ** 32 - 1), Buffer.alloc(1_100_000)]) }),
    /more than 1000000 values/,
  ],
  ['a list of 2³²', packed({ a: sized(0xdd, 4, 2 ** 32 - 1) }), /truncated/],
  ['an array of 4 GB', packed({ a: extension(1, { length: 2 ** 32 - 1 }) }), /truncated/],
  [
    'an array of two parts',
    packed({ a: extension([[1], 'float32']) }),
    /not a shape, a type and bytes/,
  ],
  [
    'an array whose bytes are text',
    packed({ a: extension([[1], 'float32', 'abcd']) }),
    /bytes that it states/,
  ],
  [
    'an array that goes on',
    packed({ a: extension([[1], 'float32', bytes(4)], { length: 40 }), b: 'x'.repeat(60) }),
    /bytes that it states/,
  ],
  [
    'a size that is text',
    packed({ a: extension([['1'], 'float32', bytes(4)]) }),
    /no whole number/,
  ],
  ['axes without end', packed({ a: array(new Array<number>(33).fill(1), 4) }), /more than 32 axes/],
  ['an unknown type', packed({ a: array([1], 4, 'object') }), /unknown element type \("object"\)/],
  ['more elements than bytes', packed({ a: array([2], 4) }), /does not take the 4 bytes/],
  [
    '2⁹⁶ elements',
    packed({ a: array([2 ** 31, 2 ** 31, 2 ** 31], 4) }),
    /does not take the 4 bytes/,
  ],
  ['a name that is a path', packed({ a: { '..': array([1], 4) } }), /looks like a path/],
  ['no pieces', chunked({ '0': 1 }, {}), /in pieces without any/],
  [
    'pieces of two types',
    chunked({ '0': 2 }, { '0': array([1], 4), '1': array([1], 4, 'int32') }),
    /several element types/,
  ],
  ['pieces that are missing', chunked({ '0': 2 }, { '0': array([1], 4) }), /does not take/],
  ['pieces without a shape', chunked({ '1': 2 }, { '0': array([1], 4) }), /no usable shape/],
];

for (const [what, content, says] of hostile) {
  test(`msgpack with ${what} is refused`, async t => {
    const path = await put(await temporaryFolder(t), 'a.msgpack', content);
    const error = await assertUserError(openCheckpoint(path), CorruptFileError, says);
    assert.match(error.message, /a\.msgpack cannot be used/);
  });
}

test('msgpack that holds no arrays is refused', async t => {
  const path = await put(await temporaryFolder(t), 'a.msgpack', packed({ text: 'hello', b: 1 }));
  await assertUserError(openCheckpoint(path), UnsupportedError, /msgpack without arrays of Flax/);
});

test('a sparse file of 4 GB opens by its names alone, a turned tensor too', async t => {
  const folder = await temporaryFolder(t);
  // Axes of 2¹⁶ and 2¹⁴ float32, under a name that has them turned, and a little more.
  const length = 2 ** 32 - 2 ** 18;
  const inside = [
    sized(0xdd, 4, 3),
    packed([2 ** 16 - 4, 2 ** 14]),
    packed('float32'),
    sized(0xc6, 4, length),
  ];
  const size = Buffer.concat(inside).length + length;
  const begin = Buffer.concat([
    Buffer.from('\x81\xa10\x81\xa6kernel', 'latin1'),
    sized(0xc9, 4, size),
    Buffer.from([1]),
    ...inside,
  ]);
  const path = await put(folder, 'a.msgpack', begin);
  await truncate(path, begin.length + length);
  const before = process.memoryUsage().arrayBuffers;
  const checkpoint = await opened(t, path);
  assert.deepEqual(checkpoint.tensors.get('0.weight')?.shape, [2 ** 14, 2 ** 16 - 4]);
  assert.deepEqual(await checkpoint.readRange('0.weight', 0, 1), Float32Array.of(0));
  assert.ok(process.memoryUsage().arrayBuffers - before < 10e6);
});
