import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type * as tfjs from '@tensorflow/tfjs-core';

const resolve = createRequire(import.meta.url);

/** TensorFlow.js as the engine loads it. */
export const tf = resolve('@tensorflow/tfjs-core') as typeof tfjs;

/** An empty folder for the engine to look for packages in. */
export function packagesFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-tfjs-'));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Writes a package with the given files below `folder`; gives its path. */
export function writePackage(
  folder: string,
  name: 'tfjs-node' | 'tfjs-node-gpu',
  files: Readonly<Record<string, string>> = {},
): string {
  const path = join(folder, 'node_modules', '@tensorflow', name);
  const manifest = {
    name: `@tensorflow/${name}`,
    version: '4.22.0',
    main: 'main.js',
    binary: { napi_versions: [3, 4, 5, 6, 7, 8] },
  };
  const all = { 'package.json': JSON.stringify(manifest), ...files };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

/** Files as an installation leaves them. Nobody but the main file of `standIn` reads their contents. */
export const nativeFiles = {
  'lib/napi-v8/tfjs_binding.node': 'not an addon',
  'deps/lib/libtensorflow.so.2': 'not a library',
};

/**
 * A package that registers TensorFlow.js's own CPU backend under the name of TensorFlow's, and calls
 * what the real one calls of node:util.
 */
export function writeStandIn(
  folder: string,
  name: 'tfjs-node' | 'tfjs-node-gpu',
  { seesGpu }: { readonly seesGpu: boolean },
): void {
  const main = `
    const util = require('node:util');
    if (util.isNullOrUndefined(1) || !util.isArray([])) throw new Error('node:util is not whole');
    const tf = require(${JSON.stringify(resolve.resolve('@tensorflow/tfjs-core'))});
    const { MathBackendCPU } = require(${JSON.stringify(resolve.resolve('@tensorflow/tfjs-backend-cpu'))});
    class TensorFlow extends MathBackendCPU {
      isGPUPackage = ${name === 'tfjs-node-gpu'};
      isUsingGpuDevice = ${seesGpu};
      binding = { TF_Version: '2.9.1' };
    }
    tf.copyRegisteredKernels('cpu', 'tensorflow');
    tf.registerBackend('tensorflow', () => new TensorFlow());
    module.exports = tf;`;
  writePackage(folder, name, { ...nativeFiles, 'main.js': main });
}

/** Lets the next stand-in register: a process has one backend of a name. */
export function forgetStandIn(): void {
  if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow');
}
