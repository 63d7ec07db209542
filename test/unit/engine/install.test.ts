import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { engineFolder, isInstalled, unsupportedSystem } from '../../../src/engine/folder';
import { installEngine } from '../../../src/engine/install';
import { findNpm, type NpmProgram } from '../../../src/engine/npm';
import { InterruptedError, UserError } from '../../../src/errors';
import type { OptionalEngine } from '../../../src/protocol/engines';
import { failure } from '../../support/userError';
import { temporaryFolder } from '../run/support';

/** An npm that does what a script says, in the folder it is started in. */
function npmThat(script: string, environment: NodeJS.ProcessEnv = process.env): NpmProgram {
  const path = join(temporaryFolder(), 'npm-cli.js');
  writeFileSync(path, `const { mkdirSync, writeFileSync } = require('node:fs');\n${script}`);
  return { node: process.execPath, script: path, environment };
}

const making = (...files: string[]): string =>
  files
    .map(file => {
      const folder = JSON.stringify(`node_modules/${file}`.split('/').slice(0, -1).join('/'));
      return `mkdirSync(${folder}, { recursive: true }); writeFileSync('node_modules/${file}', '{}');`;
    })
    .join('\n');

const provider = 'onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so';
const cudaPackage = making('onnxruntime-node/package.json', provider);

function install(
  engine: OptionalEngine,
  npm: NpmProgram,
  { folder = temporaryFolder(), signal = new AbortController().signal } = {},
) {
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  return { folder, lines, done: installEngine(engine, { folder, npm, signal, onLine }) };
}

/** What npm printed on a machine that cannot reach the files which install scripts download. */
const failedCuda = `npm error code 1
npm error path /tmp/x/node_modules/onnxruntime-node
npm error command failed
npm error command sh -c node ./script/install
npm error node:internal/process/promises:391
npm error     triggerUncaughtException(err, true /* fromPromise */);
npm error Error: getaddrinfo ENOTFOUND api.nuget.org
npm error     at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {
npm error   hostname: 'api.nuget.org'
npm error A complete log of this run can be found in: /root/.npm/_logs/debug-0.log`;
const failedTfjs = `npm error code 1
npm error path /tmp/x/node_modules/@tensorflow/tfjs-node-gpu
npm error command sh -c node scripts/install.js gpu download
npm error GPU-linux-4.22.0.tar.gz
npm error https://storage.googleapis.com/tensorflow/libtensorflow/libtensorflow-gpu-linux-x86_64-2.9.1.tar.gz
npm error * Downloading libtensorflow
npm error Error: getaddrinfo ENOTFOUND storage.googleapis.com
npm error     at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26)`;
const printing = (text: string, code: number): string =>
  `process.stderr.write(${JSON.stringify(`${text}\n`)}); process.exitCode = ${code};`;

/** The examples of engines are those of this system. */
const skip =
  process.platform === 'linux' && process.arch === 'x64' ? false : 'the engines are for Linux x64';

describe('installing an engine', { skip }, () => {
  it('puts it into a folder of its own, with progress, and leaves nothing beside', async () => {
    const words = `console.log(process.argv.slice(2).join(' '), process.env.ONNXRUNTIME_NODE_INSTALL);`;
    const { folder, lines, done } = install('cuda', npmThat(words + cudaPackage));
    await done;
    assert.ok(isInstalled('cuda', folder));
    assert.deepEqual(readdirSync(folder), ['cuda']);
    assert.match(lines[0]!, /^install .*onnxruntime-node@1\.30\.0 cuda12$/);
  });

  it('replaces an earlier installation', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'cuda'));
    writeFileSync(join(folder, 'cuda', 'old'), '');
    await install('cuda', npmThat(cudaPackage), { folder }).done;
    assert.ok(!existsSync(join(folder, 'cuda', 'old')));
  });

  const failures: readonly (readonly [OptionalEngine, string, RegExp])[] = [
    [
      'cuda',
      failedCuda,
      /CUDA was not installed: .*onnxruntime-node@1\.30\.0 from api\.nuget\.org could not be downloaded/,
    ],
    [
      'tfjs-gpu',
      failedTfjs,
      /https:\/\/storage\.googleapis\.com\/.*libtensorflow-gpu-linux-x86_64-2\.9\.1\.tar\.gz could not be downloaded/,
    ],
    ['tfjs-node', 'npm error code ENOSPC', /the disk is full/],
    [
      'tfjs-node',
      'npm error code E403\nnpm error 403 Forbidden',
      /npm failed \(npm error 403 Forbidden\)/,
    ],
  ];
  for (const [engine, printed, says] of failures) {
    it(`tells what was missing (${engine}: ${says.source.slice(0, 30)}…) and leaves nothing`, async () => {
      const half = making('onnxruntime-node/package.json') + printing(printed, 1);
      const { folder, done } = install(engine, npmThat(half));
      await failure(done, UserError, says);
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('keeps an earlier installation when the new one fails', async () => {
    const folder = temporaryFolder();
    await install('cuda', npmThat(cudaPackage), { folder }).done;
    await failure(
      install('cuda', npmThat(printing(failedCuda, 1)), { folder }).done,
      UserError,
      /CUDA/,
    );
    assert.ok(isInstalled('cuda', folder));
    assert.deepEqual(readdirSync(folder), ['cuda']);
  });

  it('does not believe an npm that ended well without the native part', async () => {
    const { folder, done } = install('cuda', npmThat(making('onnxruntime-node/package.json')));
    await failure(done, UserError, /libonnxruntime_providers_cuda\.so is not there/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('does not take TensorFlow.js without its library for whole', async () => {
    const manifest = JSON.stringify({ version: '4.22.0', binary: { napi_versions: [8] } });
    const writes = `mkdirSync('node_modules/@tensorflow/tfjs-node/lib/napi-v8', { recursive: true });
      writeFileSync('node_modules/@tensorflow/tfjs-node/package.json', ${JSON.stringify(manifest)});
      writeFileSync('node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node', '');`;
    const { folder, done } = install('tfjs-node', npmThat(writes));
    await failure(done, UserError, /TensorFlow's library is not there/);
    assert.deepEqual(readdirSync(folder), []);
    const library = `${writes}
      mkdirSync('node_modules/@tensorflow/tfjs-node/deps/lib', { recursive: true });
      writeFileSync('node_modules/@tensorflow/tfjs-node/deps/lib/libtensorflow.so.2.9.1', '');`;
    await install('tfjs-node', npmThat(library), { folder }).done;
    assert.ok(isInstalled('tfjs-node', folder));
  });

  it('knows which systems the native parts exist for', () => {
    const on = (platform: string, architecture: string) => ({ platform, architecture });
    assert.equal(unsupportedSystem('cuda', on('linux', 'x64')), undefined);
    assert.match(unsupportedSystem('cuda', on('linux', 'arm64'))!, /Linux x64 only/);
    assert.match(unsupportedSystem('cuda', on('win32', 'x64'))!, /Linux x64 only/);
    assert.equal(unsupportedSystem('tfjs-gpu', on('win32', 'x64')), undefined);
    assert.match(unsupportedSystem('tfjs-gpu', on('darwin', 'arm64'))!, /Windows x64 only/);
    assert.equal(unsupportedSystem('tfjs-node', on('darwin', 'arm64')), undefined);
  });

  it('is cancelled with everything npm started, and leaves nothing', async () => {
    const pidFile = join(temporaryFolder(), 'pid');
    const hangs = `
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      console.log('downloading');
      setInterval(() => {}, 1000);`;
    const controller = new AbortController();
    const { folder, lines, done } = install('tfjs-gpu', npmThat(hangs), {
      signal: controller.signal,
    });
    while (lines.length === 0) await new Promise(resolve => setTimeout(resolve, 20));
    controller.abort();
    await failure(done, InterruptedError, /cancelled; nothing was left behind/);
    assert.deepEqual(readdirSync(folder), []);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const gone = (): boolean => {
      try {
        return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      } catch {
        return true;
      }
    };
    for (let tries = 0; !gone(); tries++) {
      assert.ok(tries < 100, 'what npm started was ended with it');
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  });

  it('does not hand on to npm what an npm that runs us was told', async () => {
    const environment = {
      ...process.env,
      npm_config_onnxruntime_node_install: 'skip',
      npm_config_registry: 'https://registry.example/',
    };
    const words = `console.log(process.env.npm_config_onnxruntime_node_install, process.env.npm_config_registry);`;
    const { lines, done } = install('cuda', npmThat(words + cudaPackage, environment));
    await done;
    assert.equal(lines[0], 'undefined https://registry.example/');
  });

  it('says so where the folder cannot be written to', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { done } = install('cuda', npmThat(cudaPackage), { folder: join(file, 'engines') });
    await failure(done, UserError, /cannot be written to/);
  });
});

describe('npm', () => {
  it('is found beside the Node that runs us', () => {
    const { node, script } = findNpm();
    const { stdout } = spawnSync(node, [script, '--version'], { encoding: 'utf8' });
    assert.match(stdout, /^\d+\.\d+\.\d+/);
  });

  it('is found on the PATH with its Node, where an editor’s Node has none', () => {
    const folder = temporaryFolder();
    const script = join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js');
    mkdirSync(join(folder, 'node_modules', 'npm', 'bin'), { recursive: true });
    for (const path of [script, join(folder, 'node')]) writeFileSync(path, '');
    const found = findNpm({ PATH: `/nowhere:${folder}` }, '/editor/node', 'linux');
    assert.deepEqual([found.node, found.script], [join(folder, 'node'), script]);
    assert.ok(found.environment['PATH']?.startsWith(folder));
  });

  it('is asked for where there is none', async () => {
    await failure(
      (async () => findNpm({ PATH: '/nowhere' }, '/editor/node', 'linux'))(),
      UserError,
      /There is no npm/,
    );
  });
});

describe('the folder of engines', () => {
  it('is the one that is given, else the environment’s, else the person’s own', () => {
    const environment = { LIGO_ENGINE_FOLDER: '/b', XDG_DATA_HOME: '/data' };
    assert.equal(engineFolder('/a', environment, 'linux'), '/a');
    assert.equal(engineFolder(undefined, environment, 'linux'), '/b');
    assert.equal(
      engineFolder(undefined, { XDG_DATA_HOME: '/data' }, 'linux'),
      '/data/ligo-grow/engines',
    );
    assert.match(engineFolder(undefined, {}, 'darwin'), /Library\/Application Support\/ligo-grow/);
  });
});
