import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { tensorFlowFolder } from '../../scripts/tensorFlowWheel.mjs';
import { openWheel } from '../../src/engine/tfjsBuild/wheel';
import { takeOut } from '../../src/engine/tfjsBuild/takeOut';
import { requireParts } from '../../src/engine/tfjsBuild/places';
import type { EngineSurvey, SelfTestResult } from '../../src/protocol/engines';

/** `node scripts/test.mjs tensorflow` names the wheel, and has built the program. */
const wheel = process.env['LIGO_TEST_TENSORFLOW']!;
const engines = join(tensorFlowFolder, 'engines');

function doctor(folder: string, ...words: readonly string[]) {
  const all = ['dist/cli.js', 'doctor', '--engine-folder', folder, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('TensorFlow.js, built with a wheel of TensorFlow', () => {
  it('is built, loaded and tested by the command, and told with its version', () => {
    const { status, stdout, stderr } = doctor(
      engines,
      '--install',
      'tfjs-node',
      '--tensorflow',
      wheel,
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /native code, which is loaded and run/);
    assert.match(stdout, /It computes as the CPU does, on CPU \(TensorFlow 2\.\d+\.\d+ through/);
    assert.deepEqual(readdirSync(engines), ['tfjs-node']);
    const { engines: found } = JSON.parse(doctor(engines, '--json').stdout) as EngineSurvey;
    const report = found.find(({ name }) => name === 'tfjs-node');
    assert.equal(report?.state, 'ready');
    assert.match(report.note, /^TensorFlow 2\.\d+\.\d+, slower than the CPU engine$/);
  });

  it('passes its self test where it lies in the end', () => {
    const { status, stdout } = doctor(engines, '--self-test', '--json');
    assert.equal(status, 0);
    const { selfTest } = JSON.parse(stdout) as { readonly selfTest: readonly SelfTestResult[] };
    const result = selfTest.find(({ name }) => name === 'tfjs-node');
    assert.equal(result?.outcome, 'agrees');
  });
});

describe(
  'a library that only looks like TensorFlow',
  { skip: process.platform !== 'linux' },
  () => {
    const folder = join(tensorFlowFolder, 'false');
    const root = join(tensorFlowFolder, 'false-engines');

    /** Compiles a library in place of TensorFlow's; its headers are the real ones. */
    function replaceLibrary(code: string): void {
      writeFileSync(join(folder, 'library.c'), code);
      for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
        const words = ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', join(folder, name)];
        const { status, stderr } = spawnSync('gcc', [...words, join(folder, 'library.c')], {
          encoding: 'utf8',
        });
        assert.equal(status, 0, stderr);
      }
    }

    before(async () => {
      mkdirSync(folder, { recursive: true });
      await using source = await openWheel(wheel, 'linux');
      const files = source.files.filter(({ place }) => place.startsWith('include/'));
      const library = requireParts(source.name, source.files, 'linux');
      const to = join(tensorFlowFolder, 'headers');
      const signal = new AbortController().signal;
      if (existsSync(to)) return;
      mkdirSync(join(to, 'lib'), { recursive: true });
      await takeOut(files, { to, platform: 'linux', library, signal, onLine: () => undefined });
    });

    const cases: readonly (readonly [string, string, RegExp])[] = [
      [
        'crashes when it is loaded ends its own process alone, and its signal is told',
        '#include <signal.h>\nvoid *TF_NewStatus(void) { raise(SIGSEGV); return 0; }',
        /This TensorFlow crashed when it was loaded \(SIGSEGV\)\. Nothing was installed\./,
      ],
      [
        'lacks a function is told by its name',
        'int nothing;',
        /This TensorFlow does not load: it lacks TF\w+, which TensorFlow\.js calls\./,
      ],
    ];
    for (const [what, code, says] of cases) {
      it(what, () => {
        cpSync(join(tensorFlowFolder, 'headers', 'include'), join(folder, 'include'), {
          recursive: true,
        });
        replaceLibrary(code);
        const { status, stderr } = doctor(root, '--install', 'tfjs-node', '--tensorflow', folder);
        assert.equal(status, 1);
        assert.match(stderr, says);
        assert.deepEqual(readdirSync(root), []);
      });
    }
  },
);
