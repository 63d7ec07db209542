import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';
import type { EngineSurvey } from '../../../src/protocol/engines';
import { temporaryFolder } from '../run/support';
import { withNvidiaDevice } from './nvidiaDevice';
import { outcomeOf, start } from './process';
import { cli } from './support';

/** A folder with programs that print something each. */
function programs(printed: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(printed)) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
    chmodSync(path, 0o755);
  }
  return folder;
}

describe('doctor', () => {
  it('tells the machine, every engine, and what auto takes', async () => {
    const { code, stdout, stderr } = await cli('doctor', '--engine-folder', temporaryFolder());
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^processor +.*, (1 thread|\d+ threads)$/m);
    assert.match(stdout, /^ONNX Runtime +1\.30\.0 \(cpu/m);
    assert.match(stdout, /^CPU +ready +CPU, \d+ threads?; ONNX Runtime 1\.30\.0$/m);
    assert.match(stdout, /^auto takes: .*\.$/m);
    assert.match(stdout, /TensorFlow\.js \(CPU\): Run `ligo doctor --install tfjs-node`\./);
  });

  it('prints one object with --json', async () => {
    const folder = temporaryFolder();
    const { stdout } = await cli('doctor', '--json', '--engine-folder', folder);
    const survey = JSON.parse(stdout) as EngineSurvey;
    assert.equal(survey.folder, folder);
    assert.equal(survey.engines[0]?.state, 'ready');
    assert.ok(survey.engines.some(({ name }) => name === survey.choice.name));
  });

  it('takes steps on every engine that is ready with --self-test', async () => {
    const { code, stdout } = await outcomeOf(start(['doctor', '--self-test']));
    assert.match(stdout, /Self test, three steps each:\nCPU +losses within 0\.0e\+0 .* ms a step/);
    assert.equal(code, 0);
  });

  it('finds a GPU with its driver and memory as the built program, too', async () => {
    if (process.platform !== 'linux') return;
    const path = programs({
      'nvidia-smi': 'NVIDIA GeForce RTX 4070, 550.54, 12282, 11000, 3',
      lspci: '01:00.0 VGA compatible controller: NVIDIA Corporation AD104 [10de:2786] (rev a1)',
    });
    const before = process.env['PATH'];
    process.env['PATH'] = `${path}${delimiter}${before}`;
    try {
      const args = ['doctor', '--json', '--engine-folder', temporaryFolder()];
      const { stdout } = await outcomeOf(start(args, ['--import', withNvidiaDevice()]));
      const { machine, engines } = JSON.parse(stdout) as EngineSurvey;
      assert.equal(machine.adapters.length, 1);
      assert.equal(machine.adapters[0]?.memoryBytes, 12_282 * 2 ** 20);
      const cuda = engines.find(({ name }) => name === 'cuda');
      assert.deepEqual(
        [cuda?.state, cuda?.note],
        ['notInstalled', 'can be installed, driver 550.54'],
      );
    } finally {
      process.env['PATH'] = before;
    }
  });

  it('refuses to install what is none of the optional engines', async () => {
    const { code, stderr } = await cli('doctor', '--install', 'abacus');
    assert.equal(code, 2);
    assert.match(stderr, /--install is "abacus".*\n.*cuda, tfjs-gpu, tfjs-node/);
  });

  it('builds with a TensorFlow only what is to be installed', async () => {
    const { code, stderr } = await cli('doctor', '--tensorflow', 'tensorflow.whl');
    assert.equal(code, 2);
    assert.match(stderr, /nothing is to be installed\.\nGive it with --install tfjs-node/);
  });

  it('fails with what is wrong with a TensorFlow, and leaves nothing', async () => {
    const folder = temporaryFolder();
    const wheel = join(temporaryFolder(), 'tensorflow.whl');
    writeFileSync(wheel, 'no wheel');
    const words = ['--install', 'tfjs-node', '--tensorflow', wheel, '--engine-folder', folder];
    const { code, stderr } = await cli('doctor', ...words);
    assert.equal(code, 1);
    assert.match(stderr, /^Error: .*tensorflow\.whl cannot be read as a wheel: /);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('fails with what could not be installed, and why', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const folder = join(file, 'engines');
    const { code, stderr } = await cli(
      'doctor',
      '--install',
      'tfjs-node',
      '--engine-folder',
      folder,
    );
    assert.equal(code, 1);
    assert.match(stderr, /^Error: .* cannot be written to: .*\nName a folder of yours/);
  });
});

it('a plan that does not fit the memory shows its numbers and is refused', async context => {
  context.mock.method(process, 'availableMemory', () => 1_000_000);
  const growth = ['plan', 'examples/gpt2-kjv', '--layers', '4', '--batch', '2'];
  const { code, stdout } = await cli(...growth, '--engine', 'cpu');
  if (process.platform === 'darwin') return assert.equal(code, 0);
  assert.equal(code, 1);
  assert.match(stdout, /\nlayers +3 +4\n/);
  assert.match(stdout, /\ntoo large +The run takes about [\d.]+ MB of memory, and main memory has/);
  assert.doesNotMatch(stdout, /\ntime /);
});

describe('an engine that is named', () => {
  const growth = ['plan', 'examples/gpt2-kjv', '--layers', '4', '--engine'];

  it('and is not installed is no other engine’s turn', async () => {
    const folder = temporaryFolder();
    const { code, stderr } = await cli(...growth, 'tfjs', '--engine-folder', folder);
    assert.equal(code, 1);
    assert.match(stderr, /TensorFlow\.js is not installed\.\nRun `ligo doctor --install tfjs/);
  });

  it('and exists on another system only says so', async () => {
    const { code, stderr } = await cli(...growth, process.platform === 'win32' ? 'cuda' : 'dml');
    assert.equal(code, 1);
    assert.match(stderr, /Windows only|Linux x64 only/);
  });

  it('and finds no adapter says what is missing', async () => {
    const survey = JSON.parse((await cli('doctor', '--json')).stdout) as EngineSurvey;
    const webgpu = survey.engines.find(({ name }) => name === 'webgpu');
    const { code, stdout, stderr } = await cli(...growth, 'webgpu');
    if (webgpu?.state === 'ready') {
      assert.match(stdout, /\nengine +WebGPU on .*, as asked for\n/);
      return;
    }
    assert.equal(code, 1);
    assert.ok(stderr.includes(`WebGPU cannot run here: ${webgpu?.note}`), stderr);
  });

  it('computes, as the receipt of what it did says', async () => {
    const { code, stdout } = await cli(...growth, 'cpu', '--threads', '1', '--steps', '2');
    assert.equal(code, 0);
    assert.match(stdout, /\nengine +CPU, 1 thread, as asked for\n/);
  });
});
