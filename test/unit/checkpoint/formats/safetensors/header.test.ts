import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../../../src/errors';
import { assertUserError, f32, put, safetensors, seeded, temporaryFolder } from '../../files';

/** Files that are not what they should be: what is wrong, the bytes, what the error must say. */
const hostile: readonly (readonly [string, Buffer, RegExp])[] = [
  ['shorter than eight bytes', Buffer.from([5, 0, 0]), /cut off after 3 bytes/],
  ['cut off after the length', Buffer.from([5, 0, 0, 0, 0, 0, 0, 0]), /cut off after 8 bytes/],
  [
    'a header longer than the file',
    safetensors('{"a":{}}').subarray(0, 12),
    /truncated: its header/,
  ],
  [
    'a header longer than the limit',
    Buffer.concat([
      Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]),
      Buffer.from('{"a":1}'),
      Buffer.alloc(64),
    ]),
    /state a header of 4294967296 bytes/,
  ],
  [
    'a header length of 2⁶⁴ − 1',
    Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from('{"a":1}')]),
    /state a header of/,
  ],
  ['a header that is not JSON', safetensors('{"a":'), /cannot be used: it is not JSON/],
  ['a header of NUL bytes', safetensors(Buffer.alloc(64)), /not JSON/],
  ['a header that is an array', safetensors('[1, 2, 3]'), /JSON, but not an object/],
  ['an empty header', safetensors('', 100), /not JSON/],
  ['a header that is not UTF-8', safetensors(Buffer.from('{"\xff":1}', 'latin1')), /not UTF-8/],
  ['trailing text after the JSON', safetensors('{}x'), /not JSON/],
  ['NaN in the header', safetensors('{"a":NaN}'), /not JSON/],
  ['a byte order mark', safetensors('\ufeff{}'), /not JSON/],
  [
    'duplicate tensor names',
    safetensors(`{"a":${JSON.stringify(f32(0, 1))},"a":${JSON.stringify(f32(0, 1))}}`, 4),
    /"a" stands in it twice/,
  ],
  [
    'duplicate names that differ only by an escape',
    safetensors(`{"ab":${JSON.stringify(f32(0, 1))},"\\u0061b":${JSON.stringify(f32(0, 1))}}`, 4),
    /"ab" stands in it twice/,
  ],
  [
    'a shape stated twice',
    safetensors('{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,4]}}', 4),
    /"shape" stands in it twice/,
  ],
  ['nesting without end', safetensors('{"a":' + '['.repeat(1e6)), /nests more than 4 levels/],
  ['objects without end', safetensors('{"a":'.repeat(1e5)), /nests more than 4 levels/],
  ['an empty tensor name', safetensors({ '': f32(0, 1) }, 4), /name "" is empty/],
  ['a control character in a name', safetensors({ 'a\n': f32(0, 1) }, 4), /control characters/],
  ['an escape sequence in a name', safetensors({ 'a\x1b[2J': f32(0, 1) }, 4), /control/],
  ['a C1 control in a name', safetensors({ 'a\x9b': f32(0, 1) }, 4), /control characters/],
  ['half a character in a name', safetensors('{"\\ud800":{}}'), /not valid Unicode/],
  ['a name without end', safetensors({ ['a'.repeat(5000)]: f32(0, 1) }, 4), /longer than 1024/],
  ...['../x', 'a/../../x', '/etc/passwd', 'C:\\x', 'c:x', '..\\x', './x', '\\\\host\\x'].map(
    name =>
      [
        `the path ${name} as a name`,
        safetensors({ [name]: f32(0, 1) }, 4),
        /looks like a path/,
      ] as const,
  ),
  [
    'the name __proto__',
    safetensors(`{"__proto__":${JSON.stringify(f32(0, 1))}}`, 4),
    /reserved name "__proto__"/,
  ],
  [
    '__proto__ inside a tensor',
    safetensors('{"a":{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}', 4),
    /reserved name "__proto__"/,
  ],
  ['a tensor that is a number', safetensors({ a: 3 }), /"a" is not described by an object/],
  ['a tensor that is null', safetensors({ a: null }), /"a" is not described by an object/],
  ['a tensor that is an array', safetensors({ a: [] }), /"a" is not described by an object/],
  [
    'an unknown element type',
    safetensors({ a: { dtype: 'Q4_0', shape: [1], data_offsets: [0, 4] } }, 4),
    /unknown element type \("Q4_0"\)/,
  ],
  [
    'an element type called toString',
    safetensors({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4),
    /unknown element type \("toString"\)/,
  ],
  [
    'no element type',
    safetensors({ a: { shape: [1], data_offsets: [0, 4] } }, 4),
    /unknown element type \(none\)/,
  ],
  ...[[-1], [1.5], ['1'], [null], [2 ** 53], 4, '4', { 0: 1 }, null, Array(33).fill(1)].map(
    shape =>
      [
        `the shape ${JSON.stringify(shape)}`,
        safetensors({ a: { dtype: 'F32', shape, data_offsets: [0, 4] } }, 4),
        /"a" has no usable shape/,
      ] as const,
  ),
  ...[[2 ** 30, 2 ** 30], [2 ** 52, 1], Array(32).fill(2 ** 52)].map(
    shape =>
      [
        `the shape [${shape.slice(0, 2)}…] of ${shape.length} axes, whose product overflows`,
        safetensors({ a: { dtype: 'F32', shape, data_offsets: [0, 4] } }, 4),
        /more elements than any file/,
      ] as const,
  ),
  ...[[0], [0, 4, 8], ['0', '4'], [4, 0], [-4, 0], [0, 4.5], [0, 2 ** 60], {}, null].map(
    data_offsets =>
      [
        `the data_offsets ${JSON.stringify(data_offsets)}`,
        safetensors({ a: { dtype: 'F32', shape: [1], data_offsets } }, 4),
        /"a" has no usable data_offsets/,
      ] as const,
  ),
  [
    'no data_offsets',
    safetensors({ a: { dtype: 'F32', shape: [1] } }, 4),
    /"a" has no usable data_offsets/,
  ],
  [
    'offsets that disagree with the shape',
    safetensors({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4),
    /takes 8 bytes by its shape \[2\] and type F32, but 4/,
  ],
  [
    'packed elements that fill no whole byte',
    safetensors({ a: { dtype: 'F4', shape: [3], data_offsets: [0, 2] } }, 2),
    /takes 1.5 bytes/,
  ],
  ['data past the end', safetensors({ a: f32(0, 2) }, 4), /truncated: tensor "a" ends at/],
  ['data far past the end', safetensors({ a: f32(4e15, 1) }, 4), /truncated: tensor "a"/],
  ['overlapping data', safetensors({ a: f32(0, 2), b: f32(4, 2) }, 12), /"b" overlap/],
  ['the same data twice', safetensors({ a: f32(0, 2), b: f32(0, 2) }, 8), /overlap/],
  ['a hole before the first', safetensors({ a: f32(4, 1) }, 8), /4 bytes before tensor "a"/],
  ['a hole between two', safetensors({ a: f32(0, 1), b: f32(8, 1) }, 12), /4 bytes before/],
  ['bytes after the last', safetensors({ a: f32(0, 1) }, 6), /last 2 bytes belong to no tensor/],
  ['data without tensors', safetensors({}, 40), /last 40 bytes belong to no tensor/],
  [
    '__metadata__ that is text',
    safetensors({ __metadata__: 'pt' }),
    /__metadata__ is not an object/,
  ],
  [
    'a number in __metadata__',
    safetensors({ __metadata__: { step: 3 } }),
    /__metadata__ entry "step" is not text/,
  ],
  [
    'a key twice in __metadata__',
    safetensors('{"__metadata__":{"a":"1","a":"2"}}'),
    /"a" stands in it twice/,
  ],
];

for (const [what, bytes, says] of hostile) {
  test(`a safetensors file with ${what} is refused in one clear error`, async t => {
    const path = await put(await temporaryFolder(t), 'model.safetensors', bytes);
    const error = await assertUserError(openCheckpoint(path), CorruptFileError, says);
    assert.ok(error.message.startsWith(path), error.message);
    assert.ok(error.message.length < 700, `${error.message.length} characters`);
  });
}

test('a truncated file is refused wherever it was cut', async t => {
  const folder = await temporaryFolder(t);
  const whole = safetensors({ a: f32(0, 2), b: f32(8, 1) }, 12);
  const path = await put(folder, 'model.safetensors', whole);
  for (let size = whole.length - 1; size >= 0; size--) {
    await truncate(path, size);
    await assertUserError(openCheckpoint(path), CorruptFileError, /truncated|cut off|empty/);
  }
});

test('unusual but valid headers are read', async t => {
  const folder = await temporaryFolder(t);
  const header = {
    b: f32(8, 0),
    toString: f32(0, 2),
    constructor: { dtype: 'F32', shape: [], data_offsets: [8, 12], comment: 'ignored' },
    'bert/layer:0': { dtype: 'BOOL', shape: [1, 0, 7], data_offsets: [12, 12] },
    größe: { dtype: 'F4', shape: [2, 2], data_offsets: [12, 14] },
  };
  const path = await put(folder, 'x.bin', safetensors(` ${JSON.stringify(header)}  `, 14));
  const checkpoint = await openCheckpoint(path);
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.tensors.size, 5);
  assert.deepEqual(checkpoint.tensors.get('constructor')?.shape, []);
  assert.equal(checkpoint.tensors.get('bert/layer:0')?.type, 'BOOL');
  assert.equal(checkpoint.bytes, 14);
  assert.equal((await checkpoint.readFloat32('b')).length, 0);
  assert.deepEqual(await checkpoint.readBytes('größe'), Uint8Array.of(1, 1));
  assert.equal(checkpoint.metadata['toString'], undefined);
  assert.equal(checkpoint.tensors.get('hasOwnProperty'), undefined);
});

test('a file without tensors is a checkpoint without tensors', async t => {
  const path = await put(await temporaryFolder(t), 'a', safetensors('{}      '));
  const checkpoint = await openCheckpoint(path);
  assert.equal(checkpoint.tensors.size, 0);
  await checkpoint.close();
});

test('a large header is read whole', async t => {
  const header: Record<string, object> = {};
  for (let i = 0; i < 5000; i++) header[`layer.${i}.weight`] = f32(4 * i, 1);
  const path = await put(await temporaryFolder(t), 'a', safetensors(header, 20_000));
  const checkpoint = await openCheckpoint(path);
  t.after(() => checkpoint.close());
  assert.equal(checkpoint.tensors.size, 5000);
  assert.equal((await checkpoint.readFloat32('layer.4999.weight')).length, 1);
});

test('random damage to a header never causes anything but a clear error', async t => {
  const folder = await temporaryFolder(t);
  const random = seeded(1234);
  const whole = safetensors({ __metadata__: { a: 'b' }, a: f32(0, 2), b: f32(8, 1) }, 12);
  for (let round = 0; round < 400; round++) {
    const damaged = Buffer.from(whole);
    for (let i = random() % 4; i >= 0; i--) damaged[random() % damaged.length] = random();
    const path = await put(folder, 'model.safetensors', damaged);
    try {
      const checkpoint = await openCheckpoint(path);
      for (const name of checkpoint.tensors.keys()) await checkpoint.readBytes(name);
      await checkpoint.close();
    } catch (error) {
      await assertUserError(Promise.reject(error), UserError, /./);
    }
  }
});
