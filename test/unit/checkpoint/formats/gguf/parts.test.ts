import assert from 'node:assert/strict';
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UserError } from '../../../../../src/errors';
import { openModel } from '../../../../../src/run/open/model';
import { remedyText } from '../../../../support/remedyText';
import { assertUserError, put, temporaryFolder } from '../../files';
import { assertSameTensors, opened } from '../sameTensors';
import { asU32, gguf, ggufFixture } from './ggufFile';

const part = (number: number): string => `llama-0000${number}-of-00003.gguf`;

/** A folder of its own with the three parts. */
async function parts(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await cp(ggufFixture('split'), folder, { recursive: true });
  return folder;
}

for (const named of ['', part(1)]) {
  test(`three parts are the model they were split from, by ${named || 'their folder'}`, async t => {
    const path = ggufFixture(join('split', named));
    const checkpoint = await opened(t, path);
    const whole = await opened(t, ggufFixture('llama.gguf'));
    await assertSameTensors(checkpoint, whole);
    assert.deepEqual(checkpoint.config, whole.config);
    assert.deepEqual(
      checkpoint.files,
      [1, 2, 3].map(number => ggufFixture(`split/${part(number)}`)),
    );
    const model = await openModel(path);
    assert.equal(model.architecture.family, 'llama');
    await model.checkpoint.close();
  });
}

test('parts that are missing are named', async t => {
  const folder = await parts(t);
  await rm(join(folder, part(3)));
  const one = await assertUserError(openCheckpoint(folder), CorruptFileError, /1 of the 3 files/);
  assert.match(one.message, /is missing: llama-00003-of-00003\.gguf\.$/);
  assert.match(remedyText(one.remedy), /llama-gguf-split --merge/);
  await rm(join(folder, part(2)));
  await assertUserError(openCheckpoint(folder), CorruptFileError, /are missing: llama-00002/);
});

test('another part than the first one tells which to give', async () => {
  const path = ggufFixture(`split/${part(2)}`);
  const { remedy } = await assertUserError(openCheckpoint(path), UserError, /one of the 3 files/);
  assert.match(remedyText(remedy), /llama-00001-of-00003\.gguf/);
});

test('parts that are mixed up are named', async t => {
  const folder = await parts(t);
  const path = join(folder, part(1));
  await copyFile(join(folder, part(3)), join(folder, part(2)));
  await assertUserError(
    openCheckpoint(path),
    CorruptFileError,
    /llama-00002-of-00003\.gguf is called part 2 of 3, but says it is part 3 of 3/,
  );
  await copyFile(ggufFixture('gpt2.gguf'), join(folder, part(2)));
  await assertUserError(openCheckpoint(path), CorruptFileError, /says it is no part of any/);
  const values = [
    ['split.no', asU32(1)],
    ['split.count', asU32(3)],
  ] as const;
  await put(folder, part(2), gguf({ values }));
  await assertUserError(
    openCheckpoint(path),
    CorruptFileError,
    /hold 14 tensors, but the first one states 21/,
  );
  const tensors = [{ name: 'token_embd.weight', axes: [0] }];
  await put(folder, part(2), gguf({ values, tensors }));
  await assertUserError(openCheckpoint(path), CorruptFileError, /"token_embd\.weight" stands in/);
});

test('a part whose name does not say which, and one of too many, are refused', async t => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a.gguf'), await readFile(ggufFixture(`split/${part(1)}`)));
  await assertUserError(openCheckpoint(folder), CorruptFileError, /its name does not say which/);
  await put(folder, 'a.gguf', gguf({ values: [['split.count', asU32(4e9)]] }));
  await assertUserError(openCheckpoint(folder), CorruptFileError, /states 4000000000 parts/);
});
