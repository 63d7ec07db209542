import assert from 'node:assert/strict';
import { copyFile, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { listCheckpoint, openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { assertUserError, put, temporaryFolder } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

const fixtures = formatFixture('llama2c');

for (const heads of ['tied', 'untied']) {
  for (const version of [0, 1]) {
    test(`version ${version} with ${heads} scores has transformers' tensors, and the sizes for a config`, async t => {
      const folder = await temporaryFolder(t);
      const path = join(folder, 'model.bin');
      await copyFile(join(fixtures, heads, `version${version}.bin`), path);
      const checkpoint = await opened(t, path);
      const expected = await opened(t, join(fixtures, heads, 'model.safetensors'));
      await assertSameTensors(checkpoint, expected);
      for (const [key, value] of Object.entries(checkpoint.config!)) {
        // Where the base of rotations lies differs between versions of transformers.
        if (key !== 'rope_theta') assert.deepEqual(value, expected.config?.[key], key);
      }
      const { architecture, checkpoint: used } = await openModel(path);
      assert.equal(architecture.family, 'llama');
      await used.close();
    });
  }
}

test('a model of quantised weights is refused by its version', async t => {
  const bytes = await readFile(join(fixtures, 'tied', 'version1.bin'));
  const folder = await temporaryFolder(t);
  bytes.writeInt32LE(2, 4);
  const path = await put(folder, 'a.bin', bytes);
  await assertUserError(openCheckpoint(path), UnsupportedError, /version 2.*quantised to 8 bits/);
  bytes.writeInt32LE(-1, 4);
  await put(folder, 'a.bin', bytes);
  await assertUserError(openCheckpoint(path), UnsupportedError, /version -1; 0 and 1 are known/);
});

test('a file of another size than its header gives is none of llama2.c, or is refused', async t => {
  const folder = await temporaryFolder(t);
  for (const [version, kind, says] of [
    [0, UnsupportedError, /of no format known/],
    [1, CorruptFileError, /a llama2\.c model, but not of the \d+ bytes/],
  ] as const) {
    const path = join(folder, 'a.bin');
    await copyFile(join(fixtures, 'tied', `version${version}.bin`), path);
    await truncate(path, (await readFile(path)).length - 4);
    await assertUserError(openCheckpoint(path), kind, says);
  }
});

test('sizes that no model has are refused', async t => {
  const bytes = await readFile(join(fixtures, 'tied', 'version1.bin'));
  const folder = await temporaryFolder(t);
  // Sizes at their places: heads that do not divide, none, more layers than any, 2³¹ - 1 words.
  for (const [at, value] of [
    [20, 3],
    [24, 3],
    [20, 0],
    [8, -16],
    [16, 2 ** 31 - 1],
    [28, 2 ** 31 - 1],
  ] as const) {
    const changed = Buffer.from(bytes);
    changed.writeInt32LE(value, at);
    const path = await put(folder, 'a.bin', changed);
    await assertUserError(openCheckpoint(path), CorruptFileError, /but not of the/);
  }
});

test('rotations by another base are listed and not used', async t => {
  const bytes = await readFile(join(fixtures, 'tied', 'version0.bin'));
  // The table of sines and that of cosines are last: 10 positions of two pairs each.
  bytes.writeFloatLE(0.5, bytes.length - 2 * 80 + 8);
  const path = await put(await temporaryFolder(t), 'a.bin', bytes);
  await assertUserError(openCheckpoint(path), UnsupportedError, /rotates positions otherwise/);
  const listed = await listCheckpoint(path);
  assert.equal(listed.tensors.size, 11);
  await listed.close();
});
