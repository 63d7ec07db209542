import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { listCheckpoint, openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../../../../src/errors';
import { summarizeFound } from '../../../../../src/worker/describe';
import { zipOf } from '../../../../support/zip';
import { assertUserError, put, temporaryFolder } from '../../files';
import { assertSameTensors, formatFixture, opened } from '../sameTensors';

const fixtures = formatFixture('keras');

const listed = async (t: TestContext, path: string) => {
  const checkpoint = await listCheckpoint(path);
  t.after(() => checkpoint.close());
  return checkpoint;
};

for (const name of ['model.keras', 'deflated.keras', 'model.weights.h5']) {
  test(`${name} lists the values that Keras gave to safetensors, and says why it is not grown`, async t => {
    const path = join(fixtures, name);
    const checkpoint = await listed(t, path);
    await assertSameTensors(checkpoint, await opened(t, join(fixtures, 'model.safetensors')));
    assert.ok(checkpoint.tensors.has('layers/dense/vars/0'));
    await assertUserError(
      openCheckpoint(path),
      UnsupportedError,
      /holds weights of a model of Keras .*cannot be grown, because they are called by their places/,
    );
    const { kind, problem } = await summarizeFound(path);
    assert.equal(kind, 'unsupported');
    assert.match(problem!.message, /a model of Keras/);
  });
}

test('a folder with nothing but a model of Keras means that model', async t => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'model.keras'), await readFile(join(fixtures, 'model.keras')));
  assert.ok((await listed(t, folder)).tensors.size > 0);
});

test('archives that are no whole model of Keras are refused', async t => {
  const folder = await temporaryFolder(t);
  const weights = await readFile(join(fixtures, 'model.weights.h5'));
  const settings = { name: 'metadata.json', bytes: Buffer.from('{}') };
  const inner = (bytes: Buffer, claimedBytes = bytes.length) =>
    zipOf([settings, { name: 'model.weights.h5', bytes, claimedBytes }]);
  const cases: readonly (readonly [
    string,
    Buffer,
    typeof UnsupportedError | typeof CorruptFileError,
    RegExp,
  ])[] = [
    ['no weights', zipOf([settings]), UnsupportedError, /has no model\.weights\.h5/],
    ['weights of no HDF5', inner(Buffer.alloc(100)), UnsupportedError, /is no HDF5 file/],
    ['a bomb of 2 GB', inner(weights, 2 ** 31), CorruptFileError, /cannot hold/],
    [
      'zeros of 300 MB',
      inner(Buffer.alloc(300_000_000)),
      UnsupportedError,
      /takes 300000000 bytes; at most 268435456 are inflated/,
    ],
    ['weights that are cut', inner(weights.subarray(0, 3000)), CorruptFileError, /truncated/],
    ['weights that are longer', inner(weights, weights.length + 9), CorruptFileError, /damaged/],
  ];
  for (const [what, bytes, kind, says] of cases) {
    const path = await put(folder, 'a.keras', bytes);
    await assertUserError(openCheckpoint(path), kind, says);
    assert.ok(what);
  }
});
