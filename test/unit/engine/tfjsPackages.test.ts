import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import util from 'node:util';
import { installedTfjs, openTfjs } from '../../../src/engine/tfjs';
import { placeLibrary } from '../../../src/engine/tfjs/native';
import { UserError } from '../../../src/errors';
import { failure } from '../../support/userError';
import {
  forgetStandIn,
  nativeFiles,
  packagesFolder,
  writePackage,
  writeStandIn,
} from './tfjsStandIn';
import { remedyText } from '../../support/remedyText';

let packages: ReturnType<typeof packagesFolder>;
beforeEach(() => (packages = packagesFolder()));
afterEach(() => {
  forgetStandIn();
  packages.remove();
});

const open = (backend: 'gpu' | 'node') => openTfjs({ backend, folder: packages.folder });

describe("TensorFlow's packages for Node", () => {
  it('are asked for when they are not installed', async () => {
    assert.deepEqual(installedTfjs(packages.folder), []);
    const error = await failure(
      open('gpu'),
      UserError,
      /^@tensorflow\/tfjs-node-gpu is not installed\.$/,
    );
    assert.match(remedyText(error.remedy), /`ligo doctor --install tfjs-gpu`/);
  });

  it('are told apart from whole ones where a download failed', async () => {
    const path = writePackage(packages.folder, 'tfjs-node-gpu');
    const about = {
      backend: 'gpu',
      name: '@tensorflow/tfjs-node-gpu',
      version: '4.22.0',
      path,
    };
    assert.deepEqual(installedTfjs(packages.folder), [about]);
    await failure(open('gpu'), UserError, /without its addon \(tfjs_binding\.node\): the download/);

    const addon = join(path, 'lib', 'napi-v8', 'tfjs_binding.node');
    mkdirSync(join(addon, '..'), { recursive: true });
    writeFileSync(addon, 'not an addon');
    mkdirSync(join(path, 'deps', 'lib'), { recursive: true });
    writeFileSync(join(path, 'deps', 'lib', 'libtensorflow_framework.so.2'), 'not a library');
    assert.deepEqual(installedTfjs(packages.folder), [{ ...about, addon }]);
    await failure(open('gpu'), UserError, /without TensorFlow's library: the download/);

    const library = join(path, 'deps', 'lib', 'libtensorflow.so.2');
    writeFileSync(library, 'not a library');
    assert.deepEqual(installedTfjs(packages.folder), [{ ...about, addon, library }]);
  });

  it('tell which Node does not load them, and why', async () => {
    writePackage(packages.folder, 'tfjs-node', {
      ...nativeFiles,
      'main.js': "require('./lib/napi-v8/tfjs_binding.node')",
    });
    const error = await failure(
      open('node'),
      UserError,
      /^@tensorflow\/tfjs-node does not load in Node \d+\.\d+\.\d+ \(\w+ \w+\): .*tfjs_binding\.node/,
    );
    assert.match(remedyText(error.remedy), /install it again/);
  });

  it('are named with their device and versions', async () => {
    writeStandIn(packages.folder, 'tfjs-node-gpu', { seesGpu: true });
    assert.deepEqual((await open('gpu')).description, {
      name: 'tfjs',
      device: 'GPU (TensorFlow 2.9.1 through tfjs-node-gpu 4.22.0)',
    });
    forgetStandIn();
    writeStandIn(packages.folder, 'tfjs-node', { seesGpu: false });
    assert.deepEqual((await open('node')).description, {
      name: 'tfjs',
      device: 'CPU (TensorFlow 2.9.1 through tfjs-node 4.22.0)',
    });
  });

  it('are refused as a GPU engine when TensorFlow sees no GPU', async () => {
    writeStandIn(packages.folder, 'tfjs-node-gpu', { seesGpu: false });
    const error = await failure(
      open('gpu'),
      UserError,
      /^TensorFlow 2\.9\.1 found no GPU that it can use\.$/,
    );
    assert.match(remedyText(error.remedy), /CUDA 11\.2 and cuDNN 8\.1/);
  });

  it('are not mistaken for each other in one process', async () => {
    writeStandIn(packages.folder, 'tfjs-node-gpu', { seesGpu: true });
    await open('gpu');
    const other = join(packages.folder, 'other');
    writeStandIn(other, 'tfjs-node', { seesGpu: false });
    // The backend that is registered stays, as it does with the real packages.
    await assert.rejects(
      openTfjs({ backend: 'node', folder: other }),
      /already loaded the other TensorFlow package than @tensorflow\/tfjs-node/,
    );
  });

  it('find the functions of node:util that Node 23 removed', async () => {
    const functions = util as unknown as Record<string, unknown>;
    const { isArray, isNullOrUndefined } = functions;
    delete functions['isArray'];
    delete functions['isNullOrUndefined'];
    try {
      writeStandIn(packages.folder, 'tfjs-node', { seesGpu: false });
      await open('node');
    } finally {
      Object.assign(functions, { isArray, isNullOrUndefined });
    }
  });

  it('have their library copied beside the addon on Windows, once', () => {
    const path = writePackage(packages.folder, 'tfjs-node', {
      'lib/napi-v8/tfjs_binding.node': 'addon',
      'lib/napi-v9/tensorflow.dll': 'library',
    });
    const [found] = installedTfjs(packages.folder);
    assert.equal(found?.library, join(path, 'lib', 'napi-v9', 'tensorflow.dll'));
    const beside = join(path, 'lib', 'napi-v8', 'tensorflow.dll');
    placeLibrary(found.addon!, found.library);
    assert.equal(readFileSync(beside, 'utf8'), 'library');
    writeFileSync(beside, 'kept');
    placeLibrary(found.addon!, found.library);
    assert.equal(readFileSync(beside, 'utf8'), 'kept');
    assert.ok(existsSync(found.library));
  });
});
