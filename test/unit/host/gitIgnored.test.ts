import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gitIgnored } from '../../../src/host/checkpoints/gitIgnored';
import { plantGit, type PlantedGit } from '../../support/plantedGit';

const temporary = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'ligo-git-')));

const git = (folder: string, ...words: readonly string[]): void =>
  void execFileSync('git', ['-C', folder, ...words], { stdio: 'pipe' });

const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

describe('what git ignores, in a repository whose own files ask for programs', () => {
  const folder = temporary();
  const names = ['ignored/a', 'shown/a', 'lazy/a', 'nested/ignored/a', 'linked/ignored/a'];
  const paths = names.map(name => join(folder, name));
  let planted: PlantedGit;
  before(() => {
    planted = plantGit(folder);
    for (const path of paths) mkdirSync(join(path, '..'), { recursive: true });
  });
  after(() => {
    planted.remove();
    remove(folder);
  });

  it('is told without running one', async () => {
    assert.deepEqual(
      [...(await gitIgnored(folder, paths))],
      ['ignored/a', 'nested/ignored/a', 'linked/ignored/a'].map(name => join(folder, name)),
    );
    assert.deepEqual(planted.ran(), []);
  });

  it('is told without running one when a nested repository is the whole workspace', async () => {
    for (const name of ['nested', 'linked']) {
      const inside = [join(folder, name, 'ignored', 'a'), join(folder, name, 'lazy', 'a')];
      assert.deepEqual([...(await gitIgnored(join(folder, name), inside))], [inside[0]]);
    }
    assert.deepEqual(planted.ran(), []);
  });

  it('obeys no variable that steers git', async () => {
    const environment = {
      ...process.env,
      GIT_DIR: join(folder, 'nested', '.git'),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.excludesFile',
      GIT_CONFIG_VALUE_0: join(folder, '.gitattributes'),
      GIT_SSH_COMMAND: 'false',
    };
    assert.equal((await gitIgnored(folder, paths, { environment })).size, 3);
    assert.deepEqual(planted.ran(), []);
  });

  // Last: it shows that the tests above can fail.
  it('runs some where git is asked as usual', () => {
    spawnSync('git', ['check-ignore', '--stdin'], { cwd: folder, input: paths.join('\n') });
    assert.deepEqual(planted.ran(), ['top-core-fsmonitor', 'top-remote-far-url']);
  });
});

describe('what git ignores', () => {
  it('is asked of each repository, and of the one around it', async context => {
    const folder = temporary();
    context.after(() => remove(folder));
    for (const name of ['.', 'module', 'vendor/inner']) {
      mkdirSync(join(folder, name), { recursive: true });
      git(join(folder, name), 'init', '--quiet');
    }
    writeFileSync(join(folder, '.gitignore'), 'vendor/\n*.bin\n');
    writeFileSync(join(folder, 'module', '.gitignore'), 'out/\n');
    const ignored = ['a.bin', 'module/out/a', 'vendor/a', 'vendor/inner/a'];
    const shown = ['a', 'module/a', 'module/a.bin'];
    const all = [...ignored, ...shown].map(name => join(folder, name));
    for (const path of all) mkdirSync(join(path, '..'), { recursive: true });
    assert.deepEqual(
      [...(await gitIgnored(folder, all))],
      ignored.map(name => join(folder, name)),
    );
  });

  it('is told when some paths lie in a submodule, behind a link, elsewhere or nowhere', async context => {
    const folder = temporary();
    const elsewhere = temporary();
    context.after(() => [folder, elsewhere].forEach(remove));
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    git(elsewhere, 'init', '--quiet');
    writeFileSync(join(elsewhere, '.gitignore'), 'out/\n');
    git(elsewhere, 'add', '.');
    git(elsewhere, ...identity, 'commit', '--quiet', '--message', 'first');
    git(folder, 'init', '--quiet');
    const add = ['submodule', '--quiet', 'add', elsewhere, 'part'];
    git(folder, '-c', 'protocol.file.allow=always', ...add);
    writeFileSync(join(folder, '.gitignore'), 'hidden/\n');
    mkdirSync(join(folder, 'hidden'));
    mkdirSync(join(folder, 'part', 'out'));
    symlinkSync(elsewhere, join(folder, 'away'));
    symlinkSync(join(folder, 'hidden'), join(folder, 'link'));
    const names = ['part/out/a', 'part/a', 'away/a', 'link/a', 'nowhere/a', 'hidden/a'];
    const paths = [join(elsewhere, 'a'), ...names.map(name => join(folder, name))];
    assert.deepEqual(
      [...(await gitIgnored(folder, paths))],
      ['part/out/a', 'link/a', 'hidden/a'].map(name => join(folder, name)),
    );
  });

  it('keeps what is tracked although a pattern fits it', async context => {
    const folder = temporary();
    context.after(() => remove(folder));
    git(folder, 'init', '--quiet');
    writeFileSync(join(folder, '.gitignore'), '*.safetensors\n');
    writeFileSync(join(folder, 'kept.safetensors'), '');
    git(folder, 'add', '--force', 'kept.safetensors');
    const [kept, other] = ['kept', 'other'].map(name => join(folder, `${name}.safetensors`));
    assert.deepEqual([...(await gitIgnored(folder, [kept!, other!]))], [other]);
  });

  it('is nothing where there is no repository, and none in a folder that looks like a bare one', async context => {
    const folder = temporary();
    context.after(() => remove(folder));
    const path = join(folder, 'a');
    assert.equal((await gitIgnored(folder, [path])).size, 0);
    git(folder, 'init', '--quiet', '--bare');
    writeFileSync(join(folder, 'info', 'exclude'), 'a\n');
    assert.equal((await gitIgnored(folder, [path])).size, 0);
  });

  it('never comes from a git in the folder, or along a PATH that depends on where one is', async context => {
    const folder = temporary();
    const other = temporary();
    context.after(() => [folder, other].forEach(remove));
    const mark = join(other, 'mark');
    const plant = (path: string): void => {
      writeFileSync(path, `#!/bin/sh\n: > '${mark}'\n`);
      chmodSync(path, 0o755);
    };
    git(folder, 'init', '--quiet');
    writeFileSync(join(folder, '.gitignore'), 'a\n');
    mkdirSync(join(folder, 'bin'));
    plant(join(folder, 'git'));
    plant(join(folder, 'bin', 'git'));
    symlinkSync(join(folder, 'git'), join(other, 'git'));
    const here = process.cwd();
    process.chdir(folder);
    context.after(() => process.chdir(here));
    const before = ['', '.', 'bin', folder, join(folder, 'bin'), other];
    const environment = {
      ...process.env,
      PATH: [...before, process.env['PATH']].join(delimiter),
    };
    const path = join(folder, 'a');
    assert.deepEqual([...(await gitIgnored(folder, [path], { environment }))], [path]);
    assert.ok(!existsSync(mark));
    const only = { ...process.env, PATH: before.join(delimiter) };
    assert.equal((await gitIgnored(folder, [path], { environment: only })).size, 0);
    assert.ok(!existsSync(mark));
  });

  it('is given up when git waits for a pipe that nobody writes to', async context => {
    const folder = temporary();
    context.after(() => remove(folder));
    git(folder, 'init', '--quiet');
    execFileSync('mkfifo', [join(folder, '.git', 'info', 'fifo')]);
    git(folder, 'config', 'core.excludesFile', join(folder, '.git', 'info', 'fifo'));
    await assert.rejects(
      gitIgnored(folder, [join(folder, 'a')], { patience: 300 }),
      /Git does not tell in time/,
    );
  });
});
