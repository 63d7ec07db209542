import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../run/support';
import { withNvidiaDevice } from './nvidiaDevice';
import { outcomeOf, start } from './process';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

/** A folder with what Node, npm, and systems may take from the current one; each leaves a mark. */
function plantedFolder(): { readonly folder: string; readonly ran: () => string[] } {
  const folder = temporaryFolder();
  const marks = join(folder, 'marks');
  mkdirSync(marks);
  const script = (name: string): string =>
    `require('node:fs').writeFileSync(${JSON.stringify(join(marks, name))}, '');`;
  for (const name of ['onnxruntime-node', 'sharp', 'systeminformation', 'commander', 'zod']) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), script(name));
  }
  for (const name of ['nvidia-smi', 'lspci', 'ldconfig', 'git', 'node', 'npm', 'sh', 'clinfo']) {
    writeFileSync(join(folder, name), `#!/bin/sh\n: > '${join(marks, `program-${name}`)}'\n`);
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, '.env'), 'LIGO_ENGINE_FOLDER=.\n');
  writeFileSync(join(folder, '.npmrc'), 'ignore-scripts=false\n');
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }');
  return { folder, ran: () => readdirSync(marks) };
}

describe('a folder that a person stands in', () => {
  const growth = ['--layers', '4', '--steps', '1', '--batch', '2', '--sequence-length', '8'];
  const data = ['--data', join(examples, 'kjv.txt'), '--engine', 'cpu'];
  const commands = [
    ['inspect', join(examples, 'gpt2-kjv')],
    ['doctor', '--self-test'],
    ['grow', join(examples, 'gpt2-kjv'), ...growth, ...data, '--out', 'grown'],
  ];
  for (const args of commands) {
    it(`chooses nothing that ligo ${args[0]} runs or loads, also when it is on the PATH`, async () => {
      const { folder, ran } = plantedFolder();
      const environment = { ...process.env, PATH: `.::${process.env['PATH']}` };
      // Where there is a GPU its driver and the system are asked about it.
      const child = start(args, ['--import', withNvidiaDevice()], {
        cwd: folder,
        env: environment,
      });
      const { code, stderr } = await outcomeOf(child);
      assert.equal(code, 0, stderr);
      assert.deepEqual(ran(), []);
      assert.equal(existsSync(join(folder, 'grown')), args[0] === 'grow');
    });
  }
});
