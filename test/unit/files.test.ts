import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { CorruptFileError, UserError } from '../../src/errors';
import { ownPath, readOwnText, readTextFile, readWhole } from '../../src/files';
import { patience } from '../support/patience';
import { failure } from '../support/userError';

const onPosix = process.platform === 'win32' ? 'there are no pipes in folders' : false;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-files-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function put(folder: string, name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test(
  'pipes, sockets, devices and folders are named and not waited for',
  { skip: onPosix, timeout: patience },
  async t => {
    const folder = temporaryFolder(t);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const socket = join(folder, 'socket');
    const server = createServer();
    await new Promise<void>(done => server.listen(socket, done));
    t.after(() => server.close());
    symlinkSync('/dev/zero', join(folder, 'endless'));
    for (const [path, is] of [
      [pipe, /pipe is a pipe where a file should be/],
      [socket, /is a socket where/],
      ['/dev/zero', /zero is a device where/],
      [join(folder, 'endless'), /is a device where/],
      [folder, /is a folder where/],
    ] as const) {
      await failure(readWhole(path, 1000), UserError, is);
    }
  },
);

test(
  'a file is read whole up to its limit, whatever size it claims',
  { timeout: patience },
  async t => {
    const folder = temporaryFolder(t);
    const path = put(folder, 'text', 'häuser');
    assert.equal(await readTextFile(path, 7), 'häuser');
    await failure(
      readTextFile(path, 6),
      CorruptFileError,
      /has 7 bytes, more than any such file \(6\)/,
    );
    assert.equal(await readTextFile(put(folder, 'empty', ''), 0), '');
    const sparse = put(folder, 'sparse', '');
    truncateSync(sparse, 2 ** 40);
    await failure(readWhole(sparse, 1 << 20), CorruptFileError, /has 1099511627776 bytes/);
    await failure(
      readTextFile(put(folder, 'latin', Buffer.from([0xe4])), 9),
      CorruptFileError,
      /is not UTF-8/,
    );
    await failure(readTextFile(join(folder, 'absent'), 9), UserError, /absent does not exist/);
  },
);

test(
  'a file of the system that claims no size is read up to the limit',
  { skip: process.platform !== 'linux', timeout: patience },
  async () => {
    assert.match(await readTextFile('/proc/self/status', 1 << 20), /^Name:/);
    await failure(readTextFile('/proc/self/status', 10), CorruptFileError, /has over 10 bytes/);
  },
);

test('a link is followed within its folder and named when it leads out', async t => {
  const parent = temporaryFolder(t);
  const folder = join(parent, 'model');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  mkdirSync(join(parent, 'model-secret'));
  const secret = put(join(parent, 'model-secret'), 'key', 'private');
  put(folder, 'vocab.txt', 'public');
  symlinkSync('vocab.txt', join(folder, 'inside'));
  symlinkSync('../model/vocab.txt', join(folder, 'around'));
  for (const name of ['vocab.txt', 'inside', 'around', 'sub/../inside']) {
    assert.equal(await readOwnText(folder, name, 100), 'public');
  }
  symlinkSync(secret, join(folder, 'absolute'));
  symlinkSync('../model-secret/key', join(folder, 'relative'));
  symlinkSync('relative', join(folder, 'twice'));
  symlinkSync('../model-secret', join(folder, 'away'));
  for (const name of ['absolute', 'relative', 'twice', 'away/key']) {
    const error = await failure(
      readOwnText(folder, name, 100),
      UserError,
      /link out of its folder/,
    );
    assert.ok(error.message.includes(join(folder, name)), error.message);
  }
  symlinkSync('nowhere', join(folder, 'dangling'));
  assert.equal(await readOwnText(folder, 'dangling', 100), undefined);
  symlinkSync('loop', join(folder, 'loop'));
  await failure(ownPath(folder, 'loop'), UserError, /leads to itself/);
  // A link to the folder itself is how a person may name it.
  symlinkSync('model', join(parent, 'named'));
  assert.equal(await readOwnText(join(parent, 'named'), 'inside', 100), 'public');
});

test('a snapshot of the Hugging Face cache has its own blobs and no other', async t => {
  const hub = temporaryFolder(t);
  for (const repository of ['models--a--b', 'models--c--d', 'plain']) {
    mkdirSync(join(hub, repository, 'snapshots', '0a1b', 'sub'), { recursive: true });
    mkdirSync(join(hub, repository, 'blobs', 'deep'), { recursive: true });
    put(join(hub, repository, 'blobs'), 'e5', repository);
    put(join(hub, repository, 'blobs', 'deep'), 'e5', repository);
  }
  const snapshot = join(hub, 'models--a--b', 'snapshots', '0a1b');
  symlinkSync('../../blobs/e5', join(snapshot, 'vocab.txt'));
  symlinkSync('../../../blobs/e5', join(snapshot, 'sub', 'vocab.txt'));
  symlinkSync(join(hub, 'models--a--b', 'blobs', 'e5'), join(snapshot, 'absolute'));
  for (const [folder, name] of [
    [snapshot, 'vocab.txt'],
    [snapshot, 'sub/vocab.txt'],
    [join(snapshot, 'sub'), 'vocab.txt'],
    [snapshot, 'absolute'],
  ] as const) {
    assert.equal(await readOwnText(folder, name, 100), 'models--a--b');
  }
  const says = /link out of its folder/;
  symlinkSync('../../../models--c--d/blobs/e5', join(snapshot, 'other'));
  symlinkSync('../../blobs/deep/e5', join(snapshot, 'deep'));
  for (const name of ['other', 'deep']) await failure(ownPath(snapshot, name), UserError, says);

  // Folders that only look like it: no repository, no revision, blobs that are a link.
  const plain = join(hub, 'plain', 'snapshots', '0a1b');
  symlinkSync('../../blobs/e5', join(plain, 'vocab.txt'));
  await failure(ownPath(plain, 'vocab.txt'), UserError, says);
  const without = join(hub, 'models--a--b', 'snapshots');
  symlinkSync('../blobs/e5', join(without, 'vocab.txt'));
  await failure(ownPath(without, 'vocab.txt'), UserError, says);
  const linked = join(hub, 'models--e--f');
  mkdirSync(join(linked, 'snapshots', '0a1b'), { recursive: true });
  symlinkSync(join(hub, 'plain', 'blobs'), join(linked, 'blobs'));
  symlinkSync('../../blobs/e5', join(linked, 'snapshots', '0a1b', 'vocab.txt'));
  await failure(ownPath(join(linked, 'snapshots', '0a1b'), 'vocab.txt'), UserError, says);
});
