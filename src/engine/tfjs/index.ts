import type { Engine } from '../engine';
import { TfjsExecutable, type Backend } from './executable';
import { loadNative, type LoadedTfjs } from './native';
import { loadPortable } from './portable';

export { installedTfjs } from './packages';

/** What TensorFlow.js computes with, and where its packages lie. */
export interface TfjsOptions {
  /** tfjs-node-gpu, tfjs-node, or TensorFlow.js's own backends, which are for checking. */
  readonly backend: 'gpu' | 'node' | 'wasm' | 'cpu';
  /** Folder whose node_modules is looked at first; then this software's own. */
  readonly folder?: string;
}

/**
 * TensorFlow.js: programs are run kernel by kernel. Nothing of it is loaded before this is called.
 * A process can use only one of tfjs-node-gpu and tfjs-node. Throws UserError when the package is not
 * installed or whole, does not load, or no GPU answers where one was asked for.
 */
export async function openTfjs({ backend, folder }: TfjsOptions): Promise<Engine> {
  const loaded =
    backend === 'gpu' || backend === 'node'
      ? loadNative(backend, folder)
      : await loadPortable(backend, folder);
  const target: Backend = {
    tf: loaded.tf,
    transposeFirst: backend === 'wasm',
    activate: () => activate(loaded),
  };
  target.activate();
  return {
    description: { name: 'tfjs', device: loaded.device },
    compile: async program => new TfjsExecutable(program, target),
    dispose: () => Promise.resolve(),
  };
}

/** Makes a backend the one that kernels run on. One that was opened before takes effect at once. */
function activate({ tf, backend }: LoadedTfjs): void {
  if (!tf.findBackend(backend)) throw new Error(`TensorFlow.js lost its backend "${backend}"`);
  if (tf.getBackend() !== backend) void tf.setBackend(backend);
}
