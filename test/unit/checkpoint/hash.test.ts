import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { sha256OfFiles } from '../../../src/checkpoint/hash';
import { UserError } from '../../../src/errors';
import { assertUserError, put, temporaryFolder } from './files';

test('the hash covers names, sizes, contents and order, but not folders', async t => {
  const folder = await temporaryFolder(t);
  const big = Buffer.alloc(2_500_000, 7);
  const a = await put(folder, 'a', big);
  const b = await put(folder, 'b', 'xyz');
  const expected = createHash('sha256')
    .update(`a\0${big.length}\0`)
    .update(big)
    .update('b\x003\x00xyz')
    .digest('hex');
  assert.equal(await sha256OfFiles([a, b]), expected);
  assert.notEqual(await sha256OfFiles([b, a]), expected);
  await mkdir(join(folder, 'other'));
  const moved = await put(join(folder, 'other'), 'b', 'xyz');
  assert.equal(await sha256OfFiles([a, moved]), expected);
  const renamed = await put(folder, 'c', 'xyz');
  assert.notEqual(await sha256OfFiles([a, renamed]), expected);
  await put(folder, 'b', 'xyy');
  assert.notEqual(await sha256OfFiles([a, b]), expected);
});

test('a byte that moves from one file to the next changes the hash', async t => {
  const folder = await temporaryFolder(t);
  const paths = [join(folder, 'a'), join(folder, 'b')];
  await put(folder, 'a', 'xy');
  await put(folder, 'b', 'z');
  const before = await sha256OfFiles(paths);
  await put(folder, 'a', 'x');
  await put(folder, 'b', 'yz');
  assert.notEqual(await sha256OfFiles(paths), before);
});

test('a missing file is an error for people', async t => {
  const absent = join(await temporaryFolder(t), 'absent');
  await assertUserError(sha256OfFiles([absent]), UserError, /absent does not exist/);
});
