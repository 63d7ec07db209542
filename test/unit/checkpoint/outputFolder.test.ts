import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  symlink,
} from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import {
  explainWriteError,
  openOutputFolder,
  removeOutput,
  restoreSetAside,
} from '../../../src/checkpoint/outputFolder';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { UserError } from '../../../src/errors';
import { assertUserError, put, temporaryFolder } from './files';
import { remedyText } from '../../support/remedyText';

const fresh = { overwrite: false };
const overwrite = { overwrite: true };

/** A process id that was in use a moment ago and is not any more. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

test('the target appears whole on commit and not before', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  const output = await openOutputFolder(target, fresh);
  assert.match(basename(output.path), /^\.ligo-/);
  assert.deepEqual(await readdir(parent), [basename(output.path)]);
  await put(output.path, 'a', '1');
  await output.commit();
  assert.deepEqual(await readdir(parent), ['grown']);
  assert.equal(await readFile(join(target, 'a'), 'utf8'), '1');
  await output.discard();
  assert.deepEqual(await readdir(target), ['a']);
  await assert.rejects(output.commit(), /committed or discarded before/);
});

test('a discarded output leaves nothing, the folders made for it included', async t => {
  const parent = await temporaryFolder(t);
  const output = await openOutputFolder(join(parent, 'x', 'y', 'grown'), fresh);
  await put(output.path, 'a', '1');
  await output.discard();
  await output.discard();
  assert.deepEqual(await readdir(parent), []);
  await assert.rejects(output.commit(), /committed or discarded before/);
});

test('folders made above the target stay when somebody uses them by then', async t => {
  const parent = await temporaryFolder(t);
  const output = await openOutputFolder(join(parent, 'x', 'y', 'grown'), fresh);
  await put(join(parent, 'x'), 'other', '1');
  await output.discard();
  assert.deepEqual(await readdir(join(parent, 'x')), ['other']);
});

test('an empty folder may be filled without overwrite', async t => {
  const parent = await temporaryFolder(t);
  await mkdir(join(parent, 'grown'));
  const output = await openOutputFolder(join(parent, 'grown'), fresh);
  await put(output.path, 'a', '1');
  await output.commit();
  assert.deepEqual(await readdir(parent), ['grown']);
  assert.deepEqual(await readdir(join(parent, 'grown')), ['a']);
});

test('a folder with files in it is refused without overwrite, before any work', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await mkdir(target);
  await put(target, 'old', '1');
  const says = /grown already exists and is not empty/;
  const error = await assertUserError(openOutputFolder(target, fresh), UserError, says);
  assert.match(remedyText(error.remedy), /Pass --overwrite/);
  assert.deepEqual(await readdir(parent), ['grown']);
});

test('with overwrite the old folder stands until the new one takes its place', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await mkdir(target);
  await put(target, 'old', '1');
  const output = await openOutputFolder(target, overwrite);
  await put(output.path, 'new', '2');
  assert.deepEqual(await readdir(target), ['old']);
  await output.commit();
  assert.deepEqual(await readdir(target), ['new']);
  assert.deepEqual(await readdir(parent), ['grown']);
});

test('with overwrite a discarded output leaves the old folder alone', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await mkdir(target);
  await put(target, 'old', '1');
  await (await openOutputFolder(target, overwrite)).discard();
  assert.deepEqual(await readdir(target), ['old']);
  assert.deepEqual(await readdir(parent), ['grown']);
});

test('the old folder comes back when the new one cannot take its place', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await mkdir(target);
  await put(target, 'old', '1');
  const output = await openOutputFolder(target, overwrite);
  // A mounted folder cannot be renamed, which shows only after the old one was set aside.
  if (!mountTmpfs(output.path, 'size=1m')) return t.skip('needs the right to mount a tmpfs');
  try {
    await assertUserError(output.commit(), UserError, /grown cannot be written: another program/);
  } finally {
    spawnSync('umount', [output.path]);
  }
  assert.deepEqual(await readdir(target), ['old']);
  await put(output.path, 'new', '2');
  await output.commit();
  assert.deepEqual(await readdir(parent), ['grown']);
  assert.deepEqual(await readdir(target), ['new']);
});

test('an output whose temporary folder was removed fails with the old folder in place', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await mkdir(target);
  await put(target, 'old', '1');
  const output = await openOutputFolder(target, overwrite);
  await rm(output.path, { recursive: true });
  await assertUserError(output.commit(), UserError, /has been removed/);
  assert.deepEqual(await readdir(target), ['old']);
});

test('a folder that appeared during the work is not replaced, and the work is kept', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  const output = await openOutputFolder(target, fresh);
  await put(output.path, 'mine', '1');
  await mkdir(target);
  await put(target, 'theirs', '2');
  await assertUserError(output.commit(), UserError, /already exists/);
  assert.deepEqual(await readdir(target), ['theirs']);
  assert.deepEqual(await readdir(output.path), ['mine']);
  await output.discard();
  assert.deepEqual(await readdir(parent), ['grown']);
});

test('left-overs of runs that died are removed, those of running ones are not', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  const probe = await openOutputFolder(target, fresh);
  const alive = basename(probe.path);
  await probe.discard();
  // As a run leaves it that no lock keeps out, on a system that has none.
  await mkdir(join(parent, alive));
  const dead = alive.replace(/-\d+-/, `-${deadProcess()}-`);
  assert.notEqual(dead, alive);
  await mkdir(join(parent, dead));
  await put(join(parent, dead), 'a', '1');
  const otherTarget = dead.replace(/^\.ligo-[0-9a-f]{8}/, '.ligo-00000000');
  await mkdir(join(parent, otherTarget));
  const output = await openOutputFolder(target, fresh);
  const expected = [alive, basename(output.path), otherTarget].sort();
  assert.deepEqual((await readdir(parent)).sort(), expected);
  await output.discard();
});

test('a folder that a dying run had set aside is put back', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  const probe = await openOutputFolder(target, fresh);
  const name = basename(probe.path).replace(/-\d+-/, `-${deadProcess()}-`);
  await probe.discard();
  const aside = join(parent, name.replace('.partial', '.replaced'));
  await mkdir(aside);
  await put(aside, 'old', '1');
  await assertUserError(openOutputFolder(target, fresh), UserError, /already exists/);
  assert.deepEqual(await readdir(parent), ['grown']);
  assert.deepEqual(await readdir(target), ['old']);
});

/** Renames a folder as a run does that then dies before it names the successor. */
async function setAside(target: string): Promise<void> {
  const probe = await openOutputFolder(target, overwrite);
  const name = basename(probe.path).replace(/-\d+-/, `-${deadProcess()}-`);
  await probe.discard();
  await rename(target, join(dirname(target), name.replace('.partial', '.replaced')));
}

test('who reads a folder that a dying run had set aside finds it under its name', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await mkdir(target);
  const file = await put(target, 'old', '1');
  await symlink('grown', join(parent, 'link'));
  for (const path of [target, file, join(parent, 'link')]) {
    await setAside(target);
    assert.ok(!(await readdir(parent)).includes('grown'));
    await restoreSetAside(path);
    assert.deepEqual((await readdir(parent)).sort(), ['grown', 'link']);
    assert.deepEqual(await readdir(target), ['old']);
  }
});

test('neither a folder that stands nor one a living run set aside is touched by reading', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  const probe = await openOutputFolder(target, fresh);
  const living = basename(probe.path).replace('.partial', '.replaced');
  await probe.discard();
  await mkdir(join(parent, living));
  await restoreSetAside(target);
  assert.deepEqual(await readdir(parent), [living]);
  await mkdir(target);
  await mkdir(join(parent, living.replace(/-\d+-/, `-${deadProcess()}-`)));
  await restoreSetAside(target);
  assert.equal((await readdir(parent)).length, 3);
  await restoreSetAside(join(parent, 'absent', 'deeper'));
});

test('a folder is removed with what dead runs left beside it, and nothing else is', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown.run');
  for (const stands of [true, false]) {
    await mkdir(target);
    await put(target, 'old', '1');
    await setAside(target);
    await mkdir(join(parent, 'grown'), { recursive: true });
    if (stands) await mkdir(target);
    const probe = await openOutputFolder(join(parent, 'other'), fresh);
    await removeOutput(target);
    assert.deepEqual((await readdir(parent)).sort(), [basename(probe.path), 'grown'].sort());
    await probe.discard();
  }
  await removeOutput(join(parent, 'absent', 'deeper'));
});

test('targets that are files, or lie below one, are refused', async t => {
  const parent = await temporaryFolder(t);
  const file = await put(parent, 'file', '1');
  await assertUserError(openOutputFolder(file, overwrite), UserError, /is a file, not a folder/);
  await assertUserError(openOutputFolder(join(file, 'x'), fresh), UserError, /file is a file/);
  await assertUserError(openOutputFolder(join(file, 'x/y'), fresh), UserError, /cannot be written/);
  await assertUserError(
    openOutputFolder(join(parent, 'deep', 'n'.repeat(300)), fresh),
    UserError,
    /name is too long/,
  );
  assert.deepEqual(await readdir(parent), ['file']);
});

test('a link is followed, one that leads nowhere is refused', async t => {
  const parent = await temporaryFolder(t);
  await mkdir(join(parent, 'real'));
  await put(join(parent, 'real'), 'old', '1');
  await symlink('real', join(parent, 'link'));
  await symlink('absent', join(parent, 'dangling'));
  const output = await openOutputFolder(join(parent, 'link'), overwrite);
  await put(output.path, 'new', '1');
  await output.commit();
  assert.deepEqual((await readdir(parent)).sort(), ['dangling', 'link', 'real']);
  assert.deepEqual(await readdir(join(parent, 'real')), ['new']);
  const dangling = openOutputFolder(join(parent, 'dangling'), fresh);
  await assertUserError(dangling, UserError, /leads nowhere/);
});

test('folders around the current or home folder are never replaced', async () => {
  for (const target of ['.', '..', '/', homedir()]) {
    const says = /contains the current or the home folder/;
    await assertUserError(openOutputFolder(target, overwrite), UserError, says);
  }
});

test('failures of the disk become errors with a remedy, others pass unchanged', () => {
  for (const code of ['ENOSPC', 'EACCES', 'EROFS', 'EPERM', 'ENAMETOOLONG', 'EDQUOT']) {
    const explained = explainWriteError(Object.assign(new Error('x'), { code }), '/some/where');
    assert.ok(explained instanceof UserError);
    assert.match(explained.message, /^\/some\/where cannot be written: .+\.$/);
    assert.match(remedyText(explained.remedy), /^[A-Z].+\.$/);
  }
  const user = new UserError('a', 'b');
  const defect = new TypeError('c');
  for (const error of [user, defect, 'text', undefined]) {
    assert.equal(explainWriteError(error, '/x'), error);
  }
});

function mountTmpfs(path: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status === 0;
}

/** A small file system in memory; undefined, and the test skipped, where none can be mounted. */
async function tinyDisk(t: TestContext, options: string): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'ligo-disk-'));
  const mounted = mountTmpfs(path, options);
  t.after(async () => {
    if (mounted) spawnSync('umount', [path]);
    await rmdir(path);
  });
  if (mounted) return path;
  t.skip('needs the right to mount a tmpfs');
  return undefined;
}

test('a folder that may not be written is refused before any work', async t => {
  // Root may write everywhere, so it steps down for this.
  if (process.seteuid === undefined) return t.skip('needs POSIX permissions');
  const parent = await temporaryFolder(t);
  await chmod(parent, 0o555);
  const own = process.geteuid!();
  if (own === 0) process.seteuid(65534);
  try {
    for (const target of ['grown', 'deep/grown']) {
      const opening = openOutputFolder(join(parent, target), fresh);
      await assertUserError(opening, UserError, /grown cannot be written: you may not write there/);
    }
  } finally {
    process.seteuid(own);
    await chmod(parent, 0o755);
  }
  assert.deepEqual(await readdir(parent), []);
});

test('a disk that fills up is one clear error and leaves nothing behind', async t => {
  const disk = await tinyDisk(t, 'size=1m');
  if (disk === undefined) return;
  const output = await openOutputFolder(join(disk, 'grown'), fresh);
  const values = new Float32Array(100_000);
  const tensors = ['a', 'b', 'c', 'd'].map(name => ({
    name,
    type: 'F32' as const,
    shape: [values.length],
    values: async () => values,
  }));
  for (const maxShardBytes of [400_000, 1e9]) {
    const writing = writeCheckpoint(output.path, tensors, { maxShardBytes });
    await assertUserError(
      writing,
      UserError,
      /model.*safetensors cannot be written: the disk is full/,
    );
    assert.deepEqual(await readdir(output.path), []);
  }
  await output.discard();
  assert.deepEqual(await readdir(disk), []);
});

test('a read-only disk and the root of a mounted one are refused before any work', async t => {
  const readOnly = await tinyDisk(t, 'size=1m,ro');
  if (readOnly === undefined) return;
  const onReadOnly = openOutputFolder(join(readOnly, 'grown'), fresh);
  await assertUserError(onReadOnly, UserError, /the disk is read-only/);
  await assertUserError(openOutputFolder(readOnly, fresh), UserError, /root of a disk or mounted/);
});

/** Opens an output in a process of its own, which says so and then waits. */
async function openElsewhere(t: TestContext, target: string): Promise<ChildProcess> {
  const room = new URL('../../../src/checkpoint/outputFolder.ts', import.meta.url);
  const script = `
    const { openOutputFolder } = await import(${JSON.stringify(room.href)});
    await openOutputFolder(${JSON.stringify(target)}, { overwrite: true });
    process.stdout.write('opened');
    setInterval(() => undefined, 1000);`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

test('an output that another process writes is refused until that one ends, even by a kill', async t => {
  const parent = await temporaryFolder(t);
  const target = join(parent, 'grown');
  await symlink(parent, join(parent, 'link'));
  const other = await openElsewhere(t, target);
  for (const path of [target, join(parent, 'link', 'grown')]) {
    await assertUserError(
      openOutputFolder(path, overwrite),
      UserError,
      /^Another run is writing .*grown/,
    );
  }
  const beside = await openOutputFolder(join(parent, 'another'), fresh);
  await beside.discard();
  other.kill('SIGKILL');
  await once(other, 'exit');
  const folder = await openOutputFolder(target, fresh);
  await put(folder.path, 'file', 'new');
  await folder.commit();
  assert.deepEqual((await readdir(parent)).sort(), ['grown', 'link']);
  const again = await openOutputFolder(target, overwrite);
  await again.discard();
});
