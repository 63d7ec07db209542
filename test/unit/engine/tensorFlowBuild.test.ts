import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isInstalled } from '../../../src/engine/folder';
import { installEngine } from '../../../src/engine/install';
import type { NpmProgram } from '../../../src/engine/npm';
import { installedTfjs } from '../../../src/engine/tfjs';
import { prepareBuild, requireAgreement } from '../../../src/engine/tfjsBuild/build';
import { explainCompilation } from '../../../src/engine/tfjsBuild/compile';
import { explainLoading, versionOfLoaded } from '../../../src/engine/tfjsBuild/load';
import {
  checkVersion,
  requirePlatform,
  thisSystem,
  type BuildSystem,
} from '../../../src/engine/tfjsBuild/suits';
import { findToolchain } from '../../../src/engine/tfjsBuild/toolchain';
import { remedyText } from '../../support/remedyText';
import { InterruptedError, UnsupportedError, UserError } from '../../../src/errors';
import type { OptionalEngine } from '../../../src/protocol/engines';
import { failure } from '../../support/userError';
import { temporaryFolder } from '../run/support';
import { cudaBuildInfo, fakeWheel, write } from './fakeTensorFlow';
import { nativeFiles, writePackage } from './tfjsStandIn';

/** What is thrown, checked as `failure` does. */
const refusal = (job: () => unknown, says: RegExp): Promise<UserError> =>
  failure(new Promise(resolve => resolve(job())), UserError, says);

describe('the TensorFlow of an addon', () => {
  it('has a version from 2.9 on, and one that is newer than all known is said to be', async () => {
    for (const version of ['2.9.0', '2.15.1', '2.21.0', '2.21.0rc1']) {
      assert.equal(checkVersion(version), undefined);
    }
    assert.match(checkVersion('2.22.0')!, /newer than those that are known/);
    for (const version of ['1.15.5', '2.8.4', '3.0.0', 'nightly']) {
      const error = await refusal(() => checkVersion(version), /it takes 2\.9 to 2\.21/);
      assert.match(remedyText(error.remedy), /pip download tensorflow-cpu==2\.21\.0/);
    }
  });

  const linux: BuildSystem = { platform: 'linux', architecture: 'x64', glibc: '2.31' };
  const arm: BuildSystem = { platform: 'darwin', architecture: 'arm64' };
  const suiting: readonly (readonly [BuildSystem, string])[] = [
    [linux, 'manylinux_2_27_x86_64'],
    [linux, 'manylinux2014_x86_64'],
    [linux, 'linux_x86_64'],
    [{ ...linux, architecture: 'arm64' }, 'manylinux_2_17_aarch64'],
    [arm, 'macosx_12_0_arm64'],
    [arm, 'macosx_10_15_universal2'],
    [{ platform: 'win32', architecture: 'x64' }, 'win_amd64'],
  ];
  for (const [system, tag] of suiting) {
    it(`is for ${tag} on ${system.platform} ${system.architecture}`, () => {
      requirePlatform({ name: 'a.whl', platforms: [tag] }, system);
    });
  }

  const refused: readonly (readonly [BuildSystem, string, RegExp])[] = [
    [linux, 'manylinux_2_34_x86_64', /it needs glibc 2\.34, and this system has 2\.31/],
    [linux, 'manylinux_2_17_aarch64', /it was made for aarch64, and this is x64/],
    [linux, 'musllinux_1_1_x86_64', /it was made for musllinux_1_1_x86_64/],
    [linux, 'win_amd64', /it was made for win_amd64/],
    [arm, 'macosx_12_0_x86_64', /it was made for x86_64, and this is arm64/],
    [arm, 'any', /it was made for any/],
    [{ platform: 'linux', architecture: 'x64' }, 'manylinux_2_27_x86_64', /built for glibc, and/],
  ];
  for (const [system, tag, says] of refused) {
    it(`is not ${tag} on ${system.platform} ${system.architecture} (${says.source})`, async () => {
      await refusal(() => requirePlatform({ name: 'a.whl', platforms: [tag] }, system), says);
    });
  }

  it('is a folder, too, which says nothing of platforms', () => {
    requirePlatform({ name: 'library' }, linux);
  });
});

/** A folder of programs that do nothing. */
function programs(...names: readonly string[]): string {
  const folder = temporaryFolder();
  for (const name of names) {
    writeFileSync(join(folder, name), '#!/bin/sh\n');
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const tools = ['g++', 'make', 'python3'];

/** An npm with its node-gyp, in a folder of Node's, that do what scripts say. */
function fakeNpm({
  npm = '',
  nodeGyp = '',
  PATH = programs(...tools),
}: { readonly npm?: string; readonly nodeGyp?: string; readonly PATH?: string } = {}): NpmProgram {
  const start = `const { mkdirSync, writeFileSync } = require('node:fs');\n`;
  const folder = write(temporaryFolder(), {
    'lib/npm/bin/npm-cli.js': start + npm,
    'lib/npm/node_modules/node-gyp/bin/node-gyp.js': start + nodeGyp,
  });
  const script = join(folder, 'lib/npm/bin/npm-cli.js');
  return { node: process.execPath, script, environment: { PATH } };
}

describe('what an addon is compiled with', () => {
  it('is npm’s own node-gyp, and the headers of the Node beside it', () => {
    const npm = fakeNpm();
    const folder = write(temporaryFolder(), { 'bin/node': '', 'include/node/node_api.h': '' });
    const found = findToolchain({ ...npm, node: join(folder, 'bin/node') }, 'linux');
    assert.match(found.nodeGyp, /node-gyp[\\/]bin[\\/]node-gyp\.js$/);
    assert.equal(found.nodeFolder, folder);
  });

  it('lacks headers where Node came without them', () => {
    const folder = write(temporaryFolder(), { 'bin/node': '' });
    const found = findToolchain({ ...fakeNpm(), node: join(folder, 'bin/node') }, 'linux');
    assert.equal(found.nodeFolder, undefined);
  });

  const lacking: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /lacks a C\+\+ compiler \(g\+\+\), make and Python 3\.$/],
    [['make', 'python3'], /lacks a C\+\+ compiler \(g\+\+\)\.$/],
    [['g++', 'python'], /lacks make\.$/],
    [['g++', 'make'], /lacks Python 3\.$/],
  ];
  for (const [there, says] of lacking) {
    it(`is told as a whole where ${there.join(' and ') || 'nothing'} is there`, async () => {
      const npm = fakeNpm({ PATH: programs(...there) });
      const error = await refusal(() => findToolchain(npm, 'linux'), says);
      assert.match(remedyText(error.remedy), /apt-get install build-essential python3/);
    });
  }

  it('may be named in the environment', () => {
    const npm = fakeNpm({ PATH: programs('make', 'python3') });
    findToolchain({ ...npm, environment: { ...npm.environment, CXX: 'clang++' } }, 'linux');
  });

  it('is missing where npm has no node-gyp', async () => {
    const script = join(
      write(temporaryFolder(), { 'npm/bin/npm-cli.js': '' }),
      'npm/bin/npm-cli.js',
    );
    await refusal(
      () => findToolchain({ node: process.execPath, script, environment: {} }, 'linux'),
      /node-gyp is missing beside npm/,
    );
  });

  const printed: readonly (readonly [string, NodeJS.Platform, RegExp, RegExp])[] = [
    [
      'gyp http GET https://nodejs.org/download/release/v20.20.2/node-v20.20.2-headers.tar.gz\ngyp ERR! stack FetchError: getaddrinfo ENOTFOUND nodejs.org',
      'linux',
      /headers are missing and could not be downloaded \(https:.*headers\.tar\.gz\)/,
      /libnode-dev/,
    ],
    ['gyp ERR! find VS You need to install', 'win32', /there is no compiler/, /Visual Studio/],
    ['gyp: No Xcode or CLT version detected!', 'darwin', /there is no compiler/, /Xcode/],
    ['fatal error: No space left on device', 'linux', /the disk is full/, /Make room/],
    [
      "make: Entering directory\n../binding/utils.h:20:10: fatal error: 'a.h' file not found\nmake: *** [all] Error 1\ngyp ERR! stack Error: make failed",
      'linux',
      /could not be compiled: .*'a\.h' file not found/,
      /C\+\+17/,
    ],
    ['gyp ERR! stack Error: not found: make', 'linux', /Error: not found: make/, /C\+\+17/],
  ];
  for (const [text, platform, says, remedy] of printed) {
    it(`says why it failed (${says.source})`, async () => {
      const error = await refusal(() => {
        throw explainCompilation(text.split('\n'), platform);
      }, says);
      assert.match(remedyText(error.remedy), remedy);
    });
  }
});

describe('a library that is loaded', () => {
  const failed = (stderr: string, more: { signal?: NodeJS.Signals; killed?: boolean } = {}) =>
    Object.assign(new Error('Command failed'), { stderr, code: null, ...more });
  const why: readonly (readonly [ReturnType<typeof failed>, RegExp, RegExp])[] = [
    [
      failed('', { signal: 'SIGSEGV' }),
      /crashed when it was loaded \(SIGSEGV\)/,
      /another version/,
    ],
    [
      failed('F no AVX', { signal: 'SIGABRT' }),
      /\(SIGABRT\): F no AVX\. Nothing/,
      /another version/,
    ],
    [failed('', { signal: 'SIGILL' }), /\(SIGILL\)/, /newer processor/],
    [failed('', { signal: 'SIGKILL', killed: true }), /no answer within 120 s/, /another version/],
    [
      failed("Error: /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by a)"),
      /needs GLIBCXX_3\.4\.32, which is newer than this system/,
      /older system/,
    ],
    [
      failed('Error: libcudart.so.12: cannot open shared object file: No such file or directory'),
      /the library libcudart\.so\.12 is missing/,
      /CUDA and cuDNN/,
    ],
    [
      failed('Error: libgomp.so.1: cannot open shared object file: No such file or directory'),
      /the library libgomp\.so\.1 is missing/,
      /package of your system/,
    ],
    [failed('Error: a.node: undefined symbol: TFE_NewContext'), /lacks TFE_NewContext/, /2\.21/],
    [failed('Error: a.node: invalid ELF header'), /invalid ELF header/, /damaged/],
    [failed('Error: something new'), /does not load: something new\. Nothing/, /another version/],
  ];
  for (const [error, says, remedy] of why) {
    it(`and fails is explained (${says.source})`, async () => {
      const explained = await refusal(() => {
        throw explainLoading(error);
      }, says);
      assert.match(remedyText(explained.remedy), remedy);
    });
  }

  it('is loaded by a process of its own', async () => {
    const signal = new AbortController().signal;
    const folder = write(temporaryFolder(), {
      'damaged.node': 'no library',
      'crashes.js': 'process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000);',
      'other.js': 'exports.version = 1;',
      'whole.js': 'exports.TF_Version = "2.21.0";',
    });
    const load = (name: string) => versionOfLoaded(join(folder, name), signal);
    await failure(load('damaged.node'), UserError, /This TensorFlow does not load: /);
    await failure(load('crashes.js'), UserError, /crashed when it was loaded/);
    await failure(load('other.js'), UserError, /tells no version of TensorFlow/);
    assert.equal(await load('whole.js'), '2.21.0');
  });
});

/** Has the package put where npm puts it. */
const puttingPackage = `
  const folder = 'node_modules/@tensorflow/tfjs-node';
  mkdirSync(folder, { recursive: true });
  writeFileSync(folder + '/package.json', JSON.stringify({ version: '4.22.0', binary: { napi_versions: [8] } }));
  writeFileSync(folder + '/npm-words', process.argv.slice(2).join(' '));
  console.log('added 1 package');`;
/** Puts a file where the addon belongs, and tells how it was called. */
const compiling = `
  const addon = process.argv.find(word => word.startsWith('--module=')).slice('--module='.length);
  mkdirSync(require('node:path').dirname(addon), { recursive: true });
  writeFileSync(addon, 'no addon');
  console.log('gyp in', process.cwd(), 'with', process.argv.slice(2).join(' '));`;

const agrees = { outcome: 'agrees', difference: 0, secondsPerStep: 0.01, device: 'CPU' } as const;

function build(
  path: string,
  { engine = 'tfjs-node' as OptionalEngine, npm = fakeNpm(), folder = temporaryFolder() } = {},
) {
  const lines: string[] = [];
  const controller = new AbortController();
  const done = installEngine(engine, {
    folder,
    npm,
    signal: controller.signal,
    onLine: line => void lines.push(line),
    tensorFlow: { path, test: name => Promise.resolve({ name, ...agrees }) },
  });
  return { folder, lines, done, cancel: () => controller.abort() };
}

/** The examples are libraries of Linux; its names are what is looked for elsewhere, too. */
const skip =
  process.platform === 'linux' && thisSystem().glibc !== undefined ? false : 'for Linux with glibc';

describe('building TensorFlow.js with a TensorFlow', { skip }, () => {
  it('refuses what does not suit before it downloads or writes anything', async () => {
    const refusals: readonly (readonly [Parameters<typeof build>, RegExp])[] = [
      [[fakeWheel({ version: '2.8.4' })], /cannot be built with TensorFlow 2\.8\.4/],
      [[fakeWheel({ tag: 'win_amd64' })], /is not for this machine: it was made for win_amd64/],
      [[fakeWheel({ files: {} })], /holds no TensorFlow that can be linked to/],
      [[fakeWheel(), { engine: 'cuda' }], /ONNX Runtime is not built with TensorFlow/],
      [[fakeWheel(), { npm: fakeNpm({ PATH: programs('make') }) }], /lacks a C\+\+ compiler/],
      [[join(temporaryFolder(), 'none.whl')], /none\.whl does not exist/],
    ];
    for (const [given, says] of refusals) {
      const { done, folder } = build(...given);
      await failure(done, UserError, says);
      assert.deepEqual(readdirSync(folder), []);
    }
  });

  it('tells what is taken, and that it is native code, before it does anything', async () => {
    const lines: string[] = [];
    const parts = {
      folder: temporaryFolder(),
      npm: fakeNpm(),
      onLine: (line: string) => void lines.push(line),
    };
    const prepared = await prepareBuild('tfjs-node', fakeWheel({ version: '2.22.0' }), parts);
    assert.match(lines[0]!, /newer than those that are known/);
    assert.match(
      lines[1]!,
      /^tensorflow_cpu-2\.22\.0-.*: \d+ bytes of TensorFlow 2\.22\.0 are taken/,
    );
    assert.match(lines[2]!, /native code, which is loaded and run/);
    await prepared[Symbol.asyncDispose]();
  });

  it(
    'wants a TensorFlow with CUDA for the GPU, and that CUDA',
    { skip: process.arch !== 'x64' },
    async () => {
      const without = await failure(
        build(fakeWheel(), { engine: 'tfjs-gpu' }).done,
        UnsupportedError,
        /built without CUDA, and computes on the CPU only/,
      );
      assert.match(remedyText(without.remedy), /a wheel of tensorflow, not tensorflow-cpu/);
      const cuda = fakeWheel({
        distribution: 'tensorflow',
        buildInfo: cudaBuildInfo.replace("'9'", "'99'"),
      });
      const missing = await failure(
        build(cuda, { engine: 'tfjs-gpu' }).done,
        UserError,
        /built for CUDA 12\.5\.1 and cuDNN 99, and this machine lacks .*cuDNN 99 \(libcudnn\.so\.99\)/,
      );
      assert.match(remedyText(missing.remedy), /LD_LIBRARY_PATH/);
    },
  );

  it('has npm run no scripts, takes TensorFlow out, compiles, and installs nothing that does not load', async () => {
    const seen = join(temporaryFolder(), 'seen');
    const looking = `${compiling}
      const { readdirSync, readFileSync } = require('node:fs');
      writeFileSync(${JSON.stringify(seen)}, JSON.stringify([readdirSync('deps/lib').sort(), readFileSync('npm-words', 'utf8')]));`;
    const npm = fakeNpm({ npm: puttingPackage, nodeGyp: looking });
    const { done, folder, lines } = build(fakeWheel(), { npm });
    await failure(done, UserError, /This TensorFlow does not load: .*Nothing was installed/);
    assert.deepEqual(readdirSync(folder), []);
    const [libraries, words] = JSON.parse(readFileSync(seen, 'utf8')) as [string[], string];
    assert.deepEqual(libraries, [
      'libtensorflow.so',
      'libtensorflow_cc.so.2',
      'libtensorflow_framework.so',
      'libtensorflow_framework.so.2',
    ]);
    assert.match(words, /^install .*--ignore-scripts @tensorflow\/tfjs-node@4\.22\.0$/);
    const called = lines.find(line => line.startsWith('gyp in'))!;
    assert.match(called, /^gyp in \S+[\\/]tfjs-node with rebuild --devdir=\S+ /);
    assert.match(called, /--module_name=tfjs_binding .*--napi_build_version=8/);
  });

  it('keeps an engine that was installed before when the build fails', async () => {
    const folder = temporaryFolder();
    writePackage(join(folder, 'tfjs-node'), 'tfjs-node', nativeFiles);
    const nodeGyp = `console.error('a.cc:1:1: error: no'); process.exitCode = 1;`;
    const { done } = build(fakeWheel(), { npm: fakeNpm({ npm: puttingPackage, nodeGyp }), folder });
    await failure(done, UserError, /could not be compiled: a\.cc:1:1: error: no/);
    assert.ok(isInstalled('tfjs-node', folder));
    assert.deepEqual(readdirSync(folder), ['tfjs-node']);
  });

  it('is cancelled while it compiles, and leaves nothing', async () => {
    const nodeGyp = `console.log('compiling'); setInterval(() => {}, 1000);`;
    const npm = fakeNpm({ npm: puttingPackage, nodeGyp });
    const { done, folder, lines, cancel } = build(fakeWheel(), { npm });
    done.catch(() => undefined);
    while (!lines.includes('compiling')) await new Promise(resolve => setTimeout(resolve, 20));
    cancel();
    await failure(done, InterruptedError, /cancelled; nothing was left behind/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is believed only when its self test agrees', async () => {
    const name = 'tfjs-node';
    assert.match(
      requireAgreement('It', { name, ...agrees }),
      /^It computes as the CPU does, on CPU/,
    );
    await refusal(
      () => requireAgreement('It', { name, ...agrees, outcome: 'differs', difference: 0.5 }),
      /^It was built, but is not installed.*differ from the CPU's by 5\.0e-1/,
    );
    const crash = { message: 'Its process crashed (SIGSEGV).', remedy: 'Take another.' };
    await refusal(
      () => requireAgreement('It', { name, outcome: 'failed', ...crash }),
      /self test failed: Its process crashed \(SIGSEGV\)\.$/,
    );
  });

  it('is noted beside the addon, for those who ask later', () => {
    const folder = temporaryFolder();
    const note = { tensorFlow: '2.21.0', from: 'a.whl', cuda: { cuda: '12.5.1', cudnn: '9' } };
    writePackage(folder, 'tfjs-node', {
      ...nativeFiles,
      'deps/built-with.json': JSON.stringify(note),
    });
    assert.deepEqual(installedTfjs(folder)[0]?.built, note);
  });
});
