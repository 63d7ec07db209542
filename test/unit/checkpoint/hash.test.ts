import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { requireUnchanged, sha256OfFiles } from '../../../src/checkpoint/hash';
import { CorruptFileError, UserError } from '../../../src/errors';
import { openRegular } from '../../../src/files';
import { assertUserError, put, temporaryFolder } from './files';

/** Files as they are seen when they are opened. */
async function see(paths: readonly string[]) {
  const files = new Map<string, { path: string; identity: Awaited<ReturnType<typeof look>> }>();
  for (const path of paths) files.set(path, { path, identity: await look(path) });
  return files;
}

async function look(path: string) {
  const { handle, identity } = await openRegular(path);
  await handle.close();
  return identity;
}

const hashOf = async (paths: readonly string[]): Promise<string> => sha256OfFiles(await see(paths));

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
  assert.equal(await hashOf([a, b]), expected);
  assert.notEqual(await hashOf([b, a]), expected);
  await mkdir(join(folder, 'other'));
  const moved = await put(join(folder, 'other'), 'b', 'xyz');
  assert.equal(await hashOf([a, moved]), expected);
  const renamed = await put(folder, 'c', 'xyz');
  assert.notEqual(await hashOf([a, renamed]), expected);
  await put(folder, 'b', 'xyy');
  assert.notEqual(await hashOf([a, b]), expected);
});

test('a byte that moves from one file to the next changes the hash', async t => {
  const folder = await temporaryFolder(t);
  const paths = [join(folder, 'a'), join(folder, 'b')];
  await put(folder, 'a', 'xy');
  await put(folder, 'b', 'z');
  const before = await hashOf(paths);
  await put(folder, 'a', 'x');
  await put(folder, 'b', 'yz');
  assert.notEqual(await hashOf(paths), before);
});

test('a missing file is an error for people', async t => {
  const absent = join(await temporaryFolder(t), 'absent');
  await assertUserError(hashOf([absent]), UserError, /absent does not exist/);
});

test('a file that is rewritten, replaced or gone is named; one that holds the same is not', async t => {
  const folder = await temporaryFolder(t);
  const a = await put(folder, 'a', 'xyz');
  const b = await put(folder, 'b', 'xyz');
  const files = await see([a, b]);
  const before = await sha256OfFiles(files);
  await requireUnchanged(files, before);

  // The same contents in another file, and other times, are no change.
  await put(folder, 'new', await readFile(b));
  await rename(join(folder, 'new'), b);
  await utimes(a, 1, 1);
  await requireUnchanged(files, before);

  // The size and the time of writing do not betray this one.
  const { atime, mtime } = await stat(a);
  await put(folder, 'a', 'xyw');
  await utimes(a, atime, mtime);
  const says = /a was changed or replaced while it was in use/;
  await assertUserError(requireUnchanged(files, before), CorruptFileError, says);
  await put(folder, 'a', 'xyz');
  await requireUnchanged(files, before);
  await rm(b);
  await assertUserError(requireUnchanged(files, before), CorruptFileError, /b was changed/);
});

test('what changed since its header was read is not hashed', async t => {
  const folder = await temporaryFolder(t);
  const a = await put(folder, 'a', 'xyz');
  const files = await see([a]);
  await put(folder, 'a', 'longer');
  await assertUserError(sha256OfFiles(files), CorruptFileError, /a was changed/);
});
