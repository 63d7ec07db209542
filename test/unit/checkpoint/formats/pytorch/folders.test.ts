import assert from 'node:assert/strict';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { assertUserError, put, temporaryFolder } from '../../files';
import { torchFile } from './fixtures';

const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];

async function folderWith(t: TestContext, ...files: readonly string[]): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const file of files) await copyFile(torchFile(file), join(folder, basename(file)));
  return folder;
}

test('shards and their index hold what the whole model holds, and are recognised', async () => {
  const model = await openModel(torchFile('sharded'));
  const whole = await openCheckpoint(torchFile('gpt2/model.safetensors'));
  assert.equal(model.architecture.modelClass, 'GPT2LMHeadModel');
  for (const name of whole.tensors.keys()) {
    const read = Buffer.from(await model.checkpoint.readBytes(name));
    assert.ok(read.equals(Buffer.from(await whole.readBytes(name))), name);
  }
  // The index counts the table once that has two names.
  assert.deepEqual(
    model.checkpoint.notes.map(({ message }) => message),
    [],
  );
  await whole.close();
  await model.checkpoint.close();
});

test('an index that states another size than its shards hold is told of', async t => {
  const folder = await folderWith(t, ...shards.map(name => `sharded/${name}`));
  const index = JSON.parse(
    await readFile(torchFile('sharded/pytorch_model.bin.index.json'), 'utf8'),
  ) as { metadata: { total_size: number } };
  index.metadata.total_size += 4;
  await put(folder, 'pytorch_model.bin.index.json', JSON.stringify(index));
  const found = await openCheckpoint(folder);
  assert.match(found.notes[0]!.message, /states \d+ bytes in total/);
  await found.close();
});

test('shards without their index are read together, and one that is missing is named', async t => {
  const folder = await folderWith(t, ...shards.map(name => `sharded/${name}`));
  const found = await openCheckpoint(folder);
  assert.match(found.notes[0]!.message, /There is no pytorch_model\.bin\.index\.json/);
  assert.ok(found.tensors.has('transformer.ln_f.weight'));
  await found.close();
  await rm(join(folder, shards[1]!));
  await assertUserError(openCheckpoint(folder), CorruptFileError, /lacks 1 of 2 shards/);
});

test('a tensor that only the index of shards names is told of, a shard that only it names is missing', async t => {
  const folder = await folderWith(t, 'gpt2/config.json', ...shards.map(name => `sharded/${name}`));
  const text = await readFile(torchFile('sharded/pytorch_model.bin.index.json'), 'utf8');
  const naming = (shard: string): Promise<string> => {
    const index = JSON.parse(text) as { weight_map: Record<string, string> };
    index.weight_map['mtp.fc.weight'] = shard;
    return put(folder, 'pytorch_model.bin.index.json', JSON.stringify(index));
  };
  await naming(shards[0]!);
  const model = await openModel(folder);
  await model.checkpoint.close();
  assert.match(model.notes[0]!.message, /index names "mtp\.fc\.weight", which no shard holds/);
  await naming('pytorch_model-00003-of-00003.bin');
  await assertUserError(openModel(folder), CorruptFileError, /1 of 3 shards .* is missing/);
});

test('a shard that is named beside its index is refused with the index', async () => {
  await assertUserError(
    openCheckpoint(torchFile(`sharded/${shards[0]}`)),
    UserError,
    /one of the 2 shards/,
  );
});

test('safetensors come before pytorch_model.bin, as in transformers', async t => {
  const folder = await folderWith(t, 'gpt2/pytorch_model.bin', 'training/only.pt');
  const bin = await openCheckpoint(folder);
  assert.deepEqual(
    bin.files.map(file => basename(file)),
    ['pytorch_model.bin'],
  );
  await bin.close();
  await copyFile(torchFile('gpt2/model.safetensors'), join(folder, 'model.safetensors'));
  const safe = await openCheckpoint(folder);
  assert.deepEqual(
    safe.files.map(file => basename(file)),
    ['model.safetensors'],
  );
  await safe.close();
});

for (const name of ['nanogpt.pt', 'lightning.ckpt', 'timm.pth.tar']) {
  test(`${name} is found in a folder beside what trainers keep`, async t => {
    const folder = await folderWith(
      t,
      ...[name, 'optimizer.pt', 'scheduler.pt', 'scaler.pt', 'rng_state.pth'].map(
        file => `training/${file}`,
      ),
      'training/training_args.bin',
    );
    const found = await openCheckpoint(folder);
    assert.deepEqual(
      found.files.map(file => basename(file)),
      [name],
    );
    await found.close();
  });
}

test('several checkpoints in a folder are named, and none is chosen', async t => {
  const folder = await folderWith(t, 'training/nanogpt.pt', 'training/lightning.ckpt');
  await assertUserError(
    openCheckpoint(folder),
    UserError,
    /several checkpoints: lightning\.ckpt, nanogpt\.pt/,
  );
});

test('a folder of nothing but what trainers keep says so', async t => {
  const folder = await folderWith(t, 'training/optimizer.pt', 'training/training_args.bin');
  await assertUserError(
    openCheckpoint(folder),
    UserError,
    /what a trainer keeps beside a model \(optimizer\.pt\), but no weights/,
  );
});
