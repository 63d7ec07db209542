import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../src/errors';
import { assertUserError, f32, fixture, put, safetensors, temporaryFolder } from './files';

/** Changes to a sound copy of the sharded fixture, and what opening it must then say. */
const hostileIndexes: readonly (readonly [string, (index: Index) => unknown, RegExp])[] = [
  ...[
    '../x.safetensors',
    'a/../../x',
    '/etc/passwd',
    'C:\\x',
    'C:x',
    '..\\x',
    '\\\\host\\share\\x',
  ].map(
    shard =>
      [
        `the shard ${shard}`,
        (index: Index) => (index.weight_map['x'] = shard),
        /shard name .* leads out of the folder/,
      ] as const,
  ),
  ['an empty shard name', index => (index.weight_map['x'] = ''), /shard name "" is empty/],
  ['a NUL in a shard name', index => (index.weight_map['x'] = 'a\0b'), /control characters/],
  ['a shard that is a number', i => (i.weight_map['x'] = 3 as never), /"x" has no shard name/],
  ['a path as a tensor name', i => (i.weight_map['../x'] = 'a'), /name "..\/x" looks like a path/],
  [
    'a missing shard',
    index => (index.weight_map['x'] = 'absent.safetensors'),
    /1 of 7 shards.*absent/,
  ],
  ['a folder as a shard', index => (index.weight_map['x'] = '.hidden'), /is a folder where a file/],
  ['a weight_map that is a list', i => (i.weight_map = [] as never), /weight_map is not an object/],
  ['an empty weight_map', index => (index.weight_map = {}), /weight_map is empty/],
  ['no weight_map', index => delete (index as Partial<Index>).weight_map, /has no weight_map/],
  [
    'too many shards',
    index => {
      for (let i = 0; i <= 10_000; i++) index.weight_map[`t${i}`] = `s${i}`;
    },
    /names 10007 shards; at most 10000/,
  ],
];

interface Index {
  metadata: { total_size: number };
  weight_map: Record<string, string>;
}

for (const [what, change, says] of hostileIndexes) {
  test(`an index with ${what} is refused`, async t => {
    const folder = await temporaryFolder(t);
    await cp(fixture('bert-sharded'), folder, { recursive: true });
    await mkdir(join(folder, '.hidden'));
    const file = join(folder, 'model.safetensors.index.json');
    const index = JSON.parse(await readFile(file, 'utf8')) as Index;
    change(index);
    await writeFile(file, JSON.stringify(index));
    await assertUserError(openCheckpoint(folder), CorruptFileError, says);
  });
}

test('an index with the same tensor twice, or cut off, is refused', async t => {
  const folder = await temporaryFolder(t);
  await put(folder, 'a', safetensors({ a: f32(0, 1) }, 4));
  const file = await put(folder, 'i.json', '{"weight_map":{"a":"a","a":"b"}}');
  await assertUserError(openCheckpoint(file), CorruptFileError, /"a" stands in it twice/);
  await put(folder, 'i.json', '{"weight_map":{"a":"a"');
  await assertUserError(openCheckpoint(file), CorruptFileError, /not JSON/);
});

test('a shard that is something else or damaged is named', async t => {
  const folder = await temporaryFolder(t);
  const index = await put(folder, 'i', '{"weight_map":{"a":"shard"}}');
  const cases: readonly (readonly [string | Buffer, RegExp])[] = [
    ['PK\x03\x04rest of a zip', /shard is a zip archive/],
    ['{"weight_map":{"a":"shard"}}', /shard is JSON where a file of tensors should be/],
    ['', /shard is empty/],
    [safetensors({ a: f32(0, 2) }, 4), /shard: the file is truncated/],
  ];
  for (const [bytes, says] of cases) {
    await put(folder, 'shard', bytes);
    await assertUserError(openCheckpoint(index), UserError, says);
  }
});
