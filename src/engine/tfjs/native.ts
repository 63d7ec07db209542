import { copyFileSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import { incomplete, noGpu, notInstalled, unloadable } from './errors';
import type { Tf } from './kernels/kernel';
import { installedTfjs, type NativeBackend, type TfjsPackage } from './packages';

/** What tfjs-node's backend tells beyond the interface of backends. */
interface TensorFlowBackend {
  readonly isGPUPackage: boolean;
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** TensorFlow.js on TensorFlow itself, loaded. */
export interface LoadedTfjs {
  readonly tf: Tf;
  /** Name of TensorFlow.js's backend. */
  readonly backend: string;
  readonly device: string;
}

/**
 * Loads `tfjs-node-gpu` or `tfjs-node` from below `folder` or beside this software. Throws UserError
 * where it is not installed, its downloads failed, it does not load, or a GPU was asked for and
 * TensorFlow sees none.
 */
export function loadNative(wanted: NativeBackend, folder?: string): LoadedTfjs {
  const found = installedTfjs(folder).find(({ backend }) => backend === wanted);
  if (!found) throw notInstalled(wanted);
  if (found.addon === undefined) throw incomplete(found, 'its addon (tfjs_binding.node)');
  if (found.library === undefined) throw incomplete(found, "TensorFlow's library");
  if (process.platform === 'win32') placeLibrary(found.addon, found.library);
  const tf = requirePackage(found);
  const backend = tf.findBackend('tensorflow') as unknown as TensorFlowBackend | null;
  if (!backend) throw unloadable(found, 'it has registered no backend');
  const { TF_Version: version } = backend.binding;
  // The first of the two packages that a process loads stays: both register one name.
  if (backend.isGPUPackage !== (wanted === 'gpu')) {
    throw new Error(
      `This process has already loaded the other TensorFlow package than ${found.name}`,
    );
  }
  if (wanted === 'gpu' && !backend.isUsingGpuDevice) throw noGpu(version, found.built);
  const kind = backend.isUsingGpuDevice ? 'GPU' : 'CPU';
  const through = `${found.name.replace('@tensorflow/', '')} ${found.version}`;
  return {
    tf,
    backend: 'tensorflow',
    device: `${kind} (TensorFlow ${version} through ${through})`,
  };
}

function requirePackage(found: TfjsPackage): Tf {
  restoreRemovedUtilities();
  // TensorFlow tells which instructions it was built for at every start; warnings stay.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  // Else it takes all memory of the GPU, also what the editor needs.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  // A library with CUDA would take the GPU, though it was opened as the engine of the CPU.
  if (found.backend === 'node') process.env['CUDA_VISIBLE_DEVICES'] = '-1';
  try {
    return createRequire(join(found.path, 'package.json'))(found.path) as Tf;
  } catch (error) {
    throw unloadable(found, error);
  }
}

/** tfjs-node 4.22 calls two functions of node:util that Node 23 removed. */
function restoreRemovedUtilities(): void {
  const functions = util as unknown as Record<string, unknown>;
  functions['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  functions['isArray'] ??= Array.isArray;
}

/**
 * On Windows the library must lie beside the addon, but the installation puts it into the folder of
 * Node's own interface version (napi-v9), while the addon is loaded from the package's (napi-v8).
 */
export function placeLibrary(addon: string, library: string): void {
  const beside = join(dirname(addon), 'tensorflow.dll');
  if (!existsSync(beside)) copyFileSync(library, beside);
}
