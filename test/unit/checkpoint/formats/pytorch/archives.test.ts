import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../../../src/errors';
import { assertUserError, put, temporaryFolder } from '../../files';
import {
  archive,
  deflated,
  dict,
  named,
  oldFile,
  pickle,
  sparseArchive,
  storage,
  tensor,
  text,
  tuple,
  whole,
  zip,
} from './build';

const good = tensor(storage('0', 6), [6]);

test('what the builder of these files makes is read', async t => {
  const folder = await temporaryFolder(t);
  const values = Buffer.from(Float32Array.from([1, 2, 3, 4, 5, 6]).buffer);
  for (const bytes of [
    archive(pickle(dict({ w: good })), { 0: values }),
    oldFile(dict({ w: good }), [['0', [1, 2, 3, 4, 5, 6]]]),
  ]) {
    const found = await openCheckpoint(await put(folder, 'a.pt', bytes));
    assert.deepEqual([...(await found.readFloat32('w'))], [1, 2, 3, 4, 5, 6]);
    await found.close();
  }
});

const member = { name: 'a/data.pkl', bytes: pickle(dict({ w: good })) };
const data = { name: 'a/data/0', bytes: Buffer.alloc(24) };

/** Archives that are not what they should be. */
const archives: readonly (readonly [what: string, bytes: Buffer, says: RegExp])[] = [
  [
    'a deflated pickle of 4 GB, a bomb',
    zip([deflated({ ...member, bytes: Buffer.alloc(1e6) }, { inflated: 4e9 }), data]),
    /"a\/data\.pkl" states 4,000,000,000 bytes, which its \d+ in the archive cannot hold/,
  ],
  [
    'a deflated pickle of 101 MB',
    zip([deflated({ ...member, bytes: Buffer.alloc(101e6) }), data]),
    /"data\.pkl" takes 101,000,000 bytes; at most 100000000/,
  ],
  [
    'a deflated storage of 4 GB, a bomb',
    zip([member, deflated({ ...data, bytes: Buffer.alloc(1e6) }, { inflated: 4e9 })]),
    /"a\/data\/0" states 4,000,000,000 bytes, which its \d+ in the archive cannot hold/,
  ],
  [
    'a deflated storage of another size than its pickle states',
    zip([member, deflated({ ...data, bytes: Buffer.alloc(28) })]),
    /takes 28 bytes, but its pickle states 24/,
  ],
  [
    'a deflated pickle that does not inflate',
    zip([{ ...member, method: 8, stated: { inflated: 100 } }, data]),
    /"a\/data\.pkl" is damaged/,
  ],
  [
    'a deflated pickle of another sum',
    zip([deflated(member, { crc: 1 }), data]),
    /"a\/data\.pkl" is damaged/,
  ],
  [
    'a deflated pickle that goes on',
    zip([deflated({ ...member, bytes: Buffer.alloc(200) }, { inflated: 100 }), data]),
    /"a\/data\.pkl" is damaged/,
  ],
  [
    'a storage packed by another method',
    zip([member, { ...data, method: 14 }]),
    /encrypted, or compressed by another method than torch reads \("a\/data\/0"\)/,
  ],
  [
    'a storage that is encrypted',
    zip([member, { ...data, flags: 1, stated: { bytes: 36, inflated: 24 } }]),
    /it was encrypted, or compressed by another method/,
  ],
  ['two pickles', zip([member, member, data]), /two files called "a\/data\.pkl"/],
  [
    'a path out of it',
    zip([member, data, { ...data, name: 'a/../../x' }]),
    /invalid relative path/,
  ],
  ['an absolute path', zip([member, data, { ...data, name: '/etc/passwd' }]), /absolute path/],
  [
    'a storage that is too short',
    zip([member, { ...data, bytes: Buffer.alloc(20) }]),
    /takes 20 bytes, but its pickle states 24/,
  ],
  [
    'a storage that is too long',
    zip([member, { ...data, bytes: Buffer.alloc(28) }]),
    /takes 28 bytes, but its pickle states 24/,
  ],
  [
    'a storage behind its end',
    zip([member, { ...data, stated: { header: 4e9 } }]),
    /"a\/data\/0" would lie behind its end/,
  ],
  [
    'a storage of 2 GB',
    zip([member, { ...data, stated: { bytes: 2 ** 31 } }]),
    /would lie behind its end/,
  ],
  [
    'a storage that is elsewhere',
    zip([member, { ...data, stated: { header: 5 } }]),
    /does not lie where the directory/,
  ],
  [
    'storages over each other',
    zip([
      { ...member, bytes: pickle(dict({ w: good, x: tensor(storage('1', 6), [6]) })) },
      { ...data, name: 'a/data/1', stated: { bytes: 24 } },
      {
        ...data,
        stated: {
          header: zip([
            { ...member, bytes: pickle(dict({ w: good, x: tensor(storage('1', 6), [6]) })) },
          ]).indexOf('PK\x01\x02'),
        },
      },
    ]),
    /overlaps another/,
  ],
  ['no pickle', zip([{ ...data, name: 'a/version' }]), /none that torch\.save wrote/],
  [
    'big endian',
    archive(member.bytes, undefined, [{ name: 'a/byteorder', bytes: Buffer.from('big') }]),
    /machine of other byte order \("big"\)/,
  ],
  [
    'a version to come',
    archive(member.bytes, undefined, [{ name: 'a/version', bytes: Buffer.from('11\n') }]),
    /of version "11"/,
  ],
  [
    'a version of a kilobyte',
    archive(member.bytes, undefined, [{ name: 'a/version', bytes: Buffer.alloc(1000) }]),
    /"version" takes 1,000 bytes/,
  ],
  [
    'a program',
    archive(member.bytes, undefined, [{ name: 'a/constants.pkl', bytes: Buffer.from('N.') }]),
    /TorchScript/,
  ],
  ['a pickle that is cut off', archive(member.bytes.subarray(0, 40)), /pickle ends too early/],
  ['an empty pickle', archive(Buffer.alloc(0)), /pickle ends too early/],
  [
    'a torn end',
    archive(member.bytes).subarray(0, -30),
    /directory as a zip archive cannot be used/,
  ],
];

for (const [what, bytes, says] of archives) {
  test(`an archive with ${what} is refused`, async t => {
    const path = await put(await temporaryFolder(t), 'a.pt', bytes);
    await assertUserError(openCheckpoint(path), UserError, says);
  });
}

test('a deflated storage is read in parts, and what it does not inflate to is refused', async t => {
  const folder = await temporaryFolder(t);
  const values = Float32Array.from({ length: 100_000 }, (_, i) => i % 777);
  const value = pickle(dict({ w: tensor(storage('0', 100_000), [100_000]) }));
  const raw = { name: 'a/data/0', bytes: Buffer.from(values.buffer) };
  const files = (crc?: { crc: number }): Buffer =>
    zip([deflated({ name: 'a/data.pkl', bytes: value }), deflated(raw, crc)]);
  const found = await openCheckpoint(await put(folder, 'a.pt', files()));
  assert.deepEqual(await found.readRange('w', 99_000, 10), values.slice(99_000, 99_010));
  assert.deepEqual(await found.readFloat32('w'), values);
  await found.close();
  const damaged = await openCheckpoint(await put(folder, 'b.pt', files({ crc: 1 })));
  await assertUserError(damaged.readFloat32('w'), CorruptFileError, /"a\/data\/0" is damaged/);
  await damaged.close();
});

test('a view of a deflated storage that would be inflated to over 256 MiB is refused', async t => {
  const count = 70_000_000;
  const value = pickle(dict({ w: tensor(storage('0', count), [2, count / 2], [1, 2]) }));
  const bytes = zip([
    { name: 'a/data.pkl', bytes: value },
    deflated({ name: 'a/data/0', bytes: Buffer.alloc(4 * count) }),
  ]);
  const path = await put(await temporaryFolder(t), 'a.pt', bytes);
  await assertUserError(openCheckpoint(path), UserError, /at most 268435456 are inflated at once/);
});

const six: readonly [string, readonly number[]] = ['0', [1, 2, 3, 4, 5, 6]];
const old = oldFile(dict({ w: good }), [six]);

/** Files of the old form that are not what they should be. */
const olds: readonly (readonly [what: string, bytes: Buffer, says: RegExp])[] = [
  ['cut off in its pickles', old.subarray(0, 60), /truncated: its pickle ends too early/],
  ['cut off in its storage', old.subarray(0, -1), /truncated: its storage "0" ends behind it/],
  [
    'of another count',
    oldFile(dict({ w: good }), [['0', [1, 2, 3, 4, 5, 6, 7]]]),
    /has 7 elements, but its pickle states 6/,
  ],
  ['without its storage', oldFile(dict({ w: good }), []), /holds no storage "0"/],
  ['with a storage twice', oldFile(dict({ w: good }), [six, six]), /"0" is there twice/],
  [
    'with a storage of no tensor',
    oldFile(dict({ w: good }), [six, ['1', [1]]]),
    /that its pickle does not name/,
  ],
  [
    'of another version',
    Buffer.concat([old.subarray(0, 15), pickle(whole(1002)), old.subarray(15)]),
    /does not begin as torch\.save writes/,
  ],
  [
    'of 2 GB that are not there',
    oldFile(dict({ w: tensor(storage('0', 2 ** 29), [6]) }), [six]),
    /truncated: its storage "0"/,
  ],
];

for (const [what, bytes, says] of olds) {
  test(`a file of the old form ${what} is refused`, async t => {
    const path = await put(await temporaryFolder(t), 'a.pt', bytes);
    await assertUserError(openCheckpoint(path), UserError, says);
  });
}

test('what stands behind the last tensor of the old form is told of', async t => {
  const path = await put(await temporaryFolder(t), 'a.pt', Buffer.concat([old, Buffer.alloc(3)]));
  const found = await openCheckpoint(path);
  assert.match(found.notes[0]!.message, /3 bytes behind its last tensor are not read/);
  await found.close();
});

test('a part of a storage in the old form is read where it lies', async t => {
  const part = (begin: number, count: number): string =>
    `${tuple(text('storage'), named('torch', 'FloatStorage'), text('0'), text('cpu'), whole(6), tuple(text('v'), whole(begin), whole(count)))}Q`;
  const folder = await temporaryFolder(t);
  const bytes = oldFile(dict({ w: tensor(part(2, 3), [2], [1], 1) }), [six]);
  const found = await openCheckpoint(await put(folder, 'a.pt', bytes));
  assert.deepEqual([...(await found.readFloat32('w'))], [4, 5]);
  await found.close();
  for (const value of [part(4, 3), tensor(part(2, 3), [2], [1], 2)]) {
    const path = await put(folder, 'a.pt', oldFile(dict({ w: value }), [six]));
    await assertUserError(openCheckpoint(path), CorruptFileError, /lies outside of it|reaches to/);
  }
});

test('an archive of 10 GB is listed without its values, and its last ones are read', async t => {
  const count = 2_500_000_000;
  const path = `${await temporaryFolder(t)}/pytorch_model.bin`;
  const value = dict({
    w: tensor(storage('0', count), [50_000, 50_000], [50_000, 1]),
    x: tensor(storage('1', 2), [2]),
  });
  await sparseArchive(path, pickle(value), { 0: 4 * count, 1: 8 });
  const found = await openCheckpoint(path);
  assert.deepEqual(
    [...found.tensors.values()].map(({ name, bytes }) => [name, bytes]),
    [
      ['w', 4 * count],
      ['x', 8],
    ],
  );
  assert.deepEqual([...(await found.readRange('w', count - 2, 2))], [0, 0]);
  assert.deepEqual([...(await found.readFloat32('x'))], [0, 0]);
  await found.close();
});

test('a transposed view of 10 GB reads little more than the elements that are asked for', async t => {
  const rows = 50_000;
  const path = `${await temporaryFolder(t)}/a.pt`;
  const value = dict({ w: tensor(storage('0', rows * rows), [rows, rows], [1, rows]) });
  await sparseArchive(path, pickle(value), { 0: 4 * rows * rows });
  const found = await openCheckpoint(path);
  assert.equal((await found.readRange('w', rows * (rows - 1), 1000)).length, 1000);
  await found.close();
});

test('a pickle of over 100 MB is refused before it is read', async t => {
  const path = `${await temporaryFolder(t)}/a.pt`;
  await sparseArchive(path, pickle('N'), {}, 101_000_000);
  await assertUserError(openCheckpoint(path), UserError, /"data\.pkl" takes 101,000,000 bytes/);
});
