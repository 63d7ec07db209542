import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { isGroup } from '../../../src/host/checkpoints/checkpointGroups';
import type { Checkpoints } from '../../../src/host/checkpoints/checkpoints';
import { weightEnds } from '../../../src/host/checkpoints/weightsFile';
import { api, until, workspaceFolder } from '../suite/support';
import { countFileCalls, readingCalls, total } from './fileCalls';
import { measured, tell } from './measured';

/** Files of every format. */
const folder = (): string => join(workspaceFolder(), 'large');
/** Files that are only called alike. */
const alike = (): string => join(workspaceFolder(), 'data');
const namesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' });

const headings = ({ rows }: Checkpoints): string[] =>
  rows.map(row => (isGroup(row) ? `${row.group} ${row.name} ${row.count}` : row.label));

/** Waits until what was changed was looked at, and tells how many looks at files that took the host. */
async function looksOf(found: Checkpoints, change: () => Promise<void>): Promise<number> {
  const calls = countFileCalls(workspaceFolder());
  const looks = found.timesLooked;
  await change();
  await until('it is looked at again', () => found.timesLooked > looks);
  return total(calls());
}

suite('a workspace of thousands of files of every format', () => {
  let found: Checkpoints;
  let changes = 0;

  suiteSetup(() => {
    // The files come at once, before the extension is awake.
    renameSync(`${workspaceFolder()}-content`, folder());
  });

  test('is listed whole, with no file opened by the host and each looked at once', async () => {
    const calls = countFileCalls(workspaceFolder());
    await measured('from activation to the whole tree', async () => {
      found = (await api()).checkpoints;
      found.onDidChange(() => changes++);
      await until('the tree is whole', () => found.timesLooked > 0);
    });
    const counts = calls();
    tell(headings(found).join(', '));
    assert.ok(found.models.length > 100, `${found.models.length} models`);
    assert.ok(headings(found).some(heading => heading.startsWith('unsupported')));
    const opened = readingCalls.filter(name => counts.has(name));
    assert.deepEqual(opened, []);
    const files = namesIn(workspaceFolder()).filter(name =>
      weightEnds.some(end => name.endsWith(`.${end}`)),
    );
    const folders = new Set(files.map(dirname));
    const most = files.length + 4 * folders.size;
    assert.ok(total(counts) <= most, `${total(counts)} looks, ${most} at most`);
    // Not for every file.
    assert.ok(changes < files.length / 40, `drawn ${changes} times`);
  });

  test('is not drawn again where nothing changed', async () => {
    const before = changes;
    await measured('a look at all where nothing changed', () => found.refresh());
    assert.equal(changes, before);
  });

  test('has a checkpoint that a run writes taken in by a look at that alone', async () => {
    await measured('five checkpoints, one after the other', async () => {
      for (let step = 1; step <= 5; step++) {
        const target = join(alike(), `step-${step}`);
        const count = found.tree.length;
        const looks = await looksOf(found, async () => {
          await mkdir(target);
          await writeFile(join(target, 'model.safetensors'), '\x02\0\0\0\0\0\0\0{}');
          await until('it is listed', () => found.tree.length > count);
        });
        // Some for each event of the new folder; all files together take thousands.
        assert.ok(looks < 100, `${looks} looks`);
      }
    });
  });

  test('takes in a checkout that touches thousands of files at once', async () => {
    const before = changes;
    const touched = namesIn(alike()).filter(name =>
      /\.(bin|pt|pth|h5|npz|ckpt|msgpack)$/.test(name),
    );
    assert.ok(touched.length > 2000);
    await measured(`${touched.length} files that are touched`, async () => {
      await looksOf(found, async () => {
        const now = new Date();
        for (const name of touched) await utimes(join(alike(), name), now, now);
      });
      await found.refresh();
    });
    assert.ok(changes - before < 100, `drawn ${changes - before} times`);
  });

  test('is shown without what git ignores', async () => {
    const settings = vscode.workspace.getConfiguration('ligo');
    const showsIgnored = (): boolean =>
      found.tree.some(({ path }) => path.startsWith(join(folder(), 'ignored')));
    assert.ok(showsIgnored());
    await measured('a look without what git ignores', async () => {
      await settings.update('checkpoints.showGitIgnored', false, true);
      await until('ignored ones are left out', () => !showsIgnored());
    });
    await settings.update('checkpoints.showGitIgnored', undefined, true);
    await until('they are back', showsIgnored);
  });

  test('is forgotten when its folder goes', async () => {
    await measured('the removal of all', async () => {
      for (const each of [folder(), alike()]) await rm(each, { recursive: true });
      await until('all are forgotten', () => found.rows.length === 0);
    });
  });
});
