import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findProgram, fixedEnvironment, programFolders } from '../../src/programs';

describe('programs of others', () => {
  it('are looked for in folders that are the same from anywhere', () => {
    assert.deepEqual(programFolders({ PATH: ':.:bin:/usr/bin::../x:/bin:' }, 'linux'), [
      '/usr/bin',
      '/bin',
    ]);
    const Path = ['C:\\Windows', '.', '', 'tools', '\\tools', 'C:tools', '\\\\server\\bin'].join(
      ';',
    );
    assert.deepEqual(programFolders({ Path }, 'win32'), ['C:\\Windows', '\\\\server\\bin']);
    assert.deepEqual(programFolders({}, 'linux'), []);
  });

  it('are the same from anywhere for those we start', () => {
    const alone = { NoDefaultCurrentDirectoryInExePath: '1' };
    const linux = { PATH: '.:/bin', HOME: '.' };
    assert.deepEqual(fixedEnvironment(linux, 'linux'), { PATH: '/bin', HOME: '.', ...alone });
    const windows = { Path: '.;C:\\bin' };
    assert.deepEqual(fixedEnvironment(windows, 'win32'), { Path: 'C:\\bin', ...alone });
  });

  it('are files that can be run, and none of a folder that is not asked', context => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'ligo-programs-')));
    context.after(() => rmSync(root, { recursive: true }));
    const folders = ['folder', 'text', 'work', 'right'].map(name => join(root, name));
    const [folder, text, work, right] = folders as [string, string, string, string];
    for (const each of folders) mkdirSync(each);
    mkdirSync(join(folder, 'tool'));
    writeFileSync(join(text, 'tool'), 'no program');
    for (const each of [work, right]) {
      writeFileSync(join(each, 'tool'), '#!/bin/sh\n');
      chmodSync(join(each, 'tool'), 0o755);
    }
    const environment = { PATH: [folder, text, work, right].join(':') };
    assert.equal(findProgram('tool', { environment }), join(work, 'tool'));
    assert.equal(findProgram('tool', { environment, outside: [work] }), join(right, 'tool'));
    assert.equal(findProgram('tool', { environment, outside: [root] }), undefined);
    assert.equal(findProgram('other', { environment }), undefined);
  });
});
