import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { listCheckpoint, openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../src/errors';
import { openModel } from '../../../src/run/open/model';
import { inspect } from '../../../src/inspect/inspect';
import { assertUserError, f32, fixture, put, safetensors, temporaryFolder } from './files';
import { remedyText } from '../../support/remedyText';

interface Index {
  metadata?: unknown;
  weight_map: Record<string, string>;
}

const indexName = 'model.safetensors.index.json';
const shard = (number: number): string => `model-0000${number}-of-00006.safetensors`;

/** A copy of the sharded fixture with its index changed. */
async function sharded(t: TestContext, change: (index: Index) => unknown): Promise<string> {
  const folder = await temporaryFolder(t);
  await cp(fixture('bert-sharded'), folder, { recursive: true });
  const file = join(folder, indexName);
  const index = JSON.parse(await readFile(file, 'utf8')) as Index;
  change(index);
  await writeFile(file, JSON.stringify(index));
  return folder;
}

async function notesOf(path: string): Promise<string[]> {
  const model = await openModel(path);
  await model.checkpoint.close();
  return model.notes.map(({ message }) => message);
}

const keyNames = async (path: string): Promise<string[]> => {
  const checkpoint = await openCheckpoint(path);
  await checkpoint.close();
  return [...checkpoint.tensors.keys()].sort();
};

test('metadata that is null is read as absent, as the safetensors library does', async t => {
  const header = { __metadata__: null, a: f32(0, 1) };
  const path = await put(await temporaryFolder(t), 'a', safetensors(header, 4));
  const checkpoint = await openCheckpoint(path);
  t.after(() => checkpoint.close());
  assert.deepEqual({ ...checkpoint.metadata }, {});
  assert.deepEqual([...checkpoint.tensors.keys()], ['a']);
});

for (const [what, metadata] of [
  ['null', null],
  ['a text', 'x'],
  ['absent', undefined],
  ['a list', [1]],
] as const) {
  test(`an index whose metadata is ${what} opens without a word`, async t => {
    const folder = await sharded(t, index => (index.metadata = metadata));
    assert.deepEqual(await notesOf(folder), []);
    assert.deepEqual(await keyNames(folder), await keyNames(fixture('bert')));
  });
}

for (const [what, total_size] of [
  ['wrong', 5],
  ['text', '767488'],
  ['negative', -5],
  ['a list', [767488]],
] as const) {
  test(`a total size that is ${what} is told, and the checkpoint opens`, async t => {
    const folder = await sharded(t, index => (index.metadata = { total_size }));
    const [note, ...others] = await notesOf(folder);
    assert.match(note!, /total_size\), but its tensors take 767488/);
    assert.deepEqual(others, []);
  });
}

test('a tensor that only the index knows is listed, and refused only where it is needed', async t => {
  const folder = await sharded(t, index => (index.weight_map['mtp.fc.weight'] = shard(2)));
  const model = await openModel(folder);
  await model.checkpoint.close();
  assert.match(model.notes[0]!.message, /index names "mtp\.fc\.weight", which no shard holds/);
  assert.deepEqual(model.ignored, [
    { name: 'mtp.fc.weight', reason: `the index places it in ${shard(2)}, which does not hold it` },
  ]);
  const needed = 'bert.embeddings.word_embeddings.weight';
  const incomplete = await sharded(t, index => (index.weight_map[needed] = shard(2)));
  await openModel(incomplete).then(({ checkpoint }) => checkpoint.close());
  const holder = join(incomplete, (await indexOf(fixture('bert-sharded'))).weight_map[needed]!);
  await rewriteWithout(holder, needed);
  await assertUserError(
    openModel(incomplete),
    CorruptFileError,
    new RegExp(`missing from the checkpoint: ${needed}.*places them in ${shard(2)}`),
  );
  assert.ok((await inspect(incomplete)).tensors.length > 0);
});

const indexOf = async (folder: string): Promise<Index> =>
  JSON.parse(await readFile(join(folder, indexName), 'utf8')) as Index;

/** The same file with one tensor under another name. */
async function rewriteWithout(file: string, name: string): Promise<void> {
  const bytes = await readFile(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = bytes.subarray(8, 8 + length).toString();
  const other = [...name].reverse().join('').replaceAll('.', '_');
  assert.ok(header.includes(`"${name}"`));
  await writeFile(
    file,
    Buffer.concat([
      bytes.subarray(0, 8),
      Buffer.from(header.replace(`"${name}"`, `"${other}"`)),
      bytes.subarray(8 + length),
    ]),
  );
}

test('tensors are read from the shards that hold them, wherever the index places them', async t => {
  const folder = await sharded(t, ({ weight_map: map }) => {
    for (const name of Object.keys(map).slice(0, 4)) map[name] = shard(6);
    delete map[Object.keys(map).at(-1)!];
  });
  const [note] = await notesOf(folder);
  assert.match(note!, /The index does not place .* where the shards hold them/);
  assert.deepEqual(await keyNames(folder), await keyNames(fixture('bert')));
});

test('of a tensor in two shards the last one counts, as in transformers, and it is told', async t => {
  const folder = await temporaryFolder(t);
  for (const [name, value] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    const bytes = safetensors({ twice: f32(0, 1) }, 4);
    bytes.writeFloatLE(value, bytes.length - 4);
    await put(folder, name, bytes);
  }
  const index = await put(folder, 'i.json', '{"weight_map":{"twice":"a","other":"b"}}');
  const checkpoint = await listCheckpoint(index);
  t.after(() => checkpoint.close());
  assert.deepEqual(await checkpoint.readFloat32('twice'), Float32Array.of(2));
  assert.match(checkpoint.notes[0]!.message, /Several shards hold "twice"/);
});

test('shards without their index are read together, and it is told', async t => {
  const folder = await sharded(t, () => undefined);
  await rm(join(folder, indexName));
  for (const path of [folder, join(folder, shard(1)), join(folder, shard(4))]) {
    assert.match((await notesOf(path))[0]!, /no model\.safetensors\.index\.json; the 6 shards/);
    assert.deepEqual(await keyNames(path), await keyNames(fixture('bert')));
  }
});

test('of shards without their index the missing ones are named, and the others listed', async t => {
  const folder = await sharded(t, () => undefined);
  await rm(join(folder, indexName));
  await rm(join(folder, shard(3)));
  const says = /lacks 1 of 6 shards \(model-00003-of-00006\.safetensors\) and the index/;
  await assertUserError(openCheckpoint(folder), CorruptFileError, says);
  const inspection = await inspect(folder);
  assert.match(inspection.problems[0]!.message, says);
  assert.ok(inspection.tensors.length > 0);
  assert.equal(inspection.model, undefined);
});

test('one shard given by its path is listed, and the folder named for the rest', async t => {
  const folder = await sharded(t, () => undefined);
  const path = join(folder, shard(1));
  await assertUserError(openCheckpoint(path), UserError, /one of the 6 shards of a checkpoint/);
  const { tensors, problems } = await inspect(path);
  assert.ok(tensors.length > 0);
  assert.match(
    remedyText(problems[0]!.remedy),
    /folder it lies in, or model\.safetensors\.index\.json/,
  );
});

test('what can be listed of a checkpoint with missing, damaged or unreadable parts is listed', async t => {
  const folder = await sharded(t, () => undefined);
  const whole = (await keyNames(folder)).length;
  await rename(join(folder, shard(2)), join(folder, 'elsewhere'));
  await truncate(join(folder, shard(4)), 100);
  await writeFile(join(folder, 'config.json'), '{"model_type": ');
  const { tensors, problems, model } = await inspect(folder);
  assert.ok(tensors.length > 0 && tensors.length < whole);
  assert.equal(model, undefined);
  const said = problems.map(({ message }) => message).join('\n');
  assert.match(said, /00004-of-00006\.safetensors is truncated/);
  assert.match(said, /1 of 6 shards .* is missing: "model-00002-of-00006\.safetensors"/);
  assert.match(said, /config\.json cannot be used/);
  await assertUserError(openCheckpoint(folder), CorruptFileError, /truncated/);
  assert.ok((await readdir(folder)).includes(indexName));
});
