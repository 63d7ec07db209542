import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { forkService, nodeEnvironment, spawnRun } from '../../../src/host/runs/workerProcess';
import { runFiles } from '../../../src/protocol/runFolder';

const manifest = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as {
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    configuration: { properties: Record<string, unknown> };
    languageModelTools: { name: string; when?: string }[];
  };
};

/** Settings that a workspace may change before it is trusted: they change what is seen, nothing else. */
const harmless = ['ligo.checkpoints.exclude', 'ligo.heatmap.colorMap'];

test('every setting counts only in a trusted workspace, or is known to do no harm', () => {
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  assert.deepEqual(
    [...restrictedConfigurations, ...harmless].sort(),
    Object.keys(manifest.contributes.configuration.properties).sort(),
  );
});

test('language models are offered to grow only in a trusted workspace', () => {
  const tools = manifest.contributes.languageModelTools.filter(({ when }) => when === undefined);
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['ligo_inspect_checkpoint'],
  );
});

describe('the processes of the editor', () => {
  it('get nothing by which their programs or code come from the current folder', () => {
    assert.deepEqual(
      nodeEnvironment({
        PATH: '.:bin::/usr/bin',
        NODE_OPTIONS: '--require ./evil.js',
        Node_Path: 'modules',
        VSCODE_IPC_HOOK: 'x',
        ELECTRON_ENABLE_LOGGING: '1',
        HOME: '/home/a',
      }),
      {
        PATH: '/usr/bin',
        HOME: '/home/a',
        ELECTRON_RUN_AS_NODE: '1',
        NoDefaultCurrentDirectoryInExePath: '1',
      },
    );
  });

  it('do not stand in the folder that the editor was started in', async context => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'ligo-cwd-')));
    const here = process.cwd();
    context.after(() => {
      process.chdir(here);
      rmSync(root, { recursive: true });
    });
    const [workspace, dist, run] = ['workspace', 'dist', 'run'].map(name => join(root, name));
    for (const folder of [workspace, dist, run]) mkdirSync(folder!);
    const script = join(dist!, 'worker.cjs');
    writeFileSync(script, 'console.log(process.cwd()); process.send?.(process.cwd());');
    process.chdir(workspace!);
    const worker = { script, engines: '' };
    const [told] = (await once(forkService(worker), 'message')) as [string];
    assert.equal(told, dist);
    const started = spawnRun(worker, process.execPath, run!);
    started.ref();
    await once(started, 'exit');
    assert.equal(readFileSync(join(run!, runFiles.log), 'utf8').trim(), run);
  });
});
