import { createRequire } from 'node:module';
import { join } from 'node:path';
import { noPortable } from './errors';
import type { Tf } from './kernels/kernel';
import type { LoadedTfjs } from './native';
import { packageFolder } from './packages';

/**
 * Loads TensorFlow.js's backends that need no native code: for checking, too slow for more. Throws
 * UserError where their packages are not installed; they do not come with this software.
 */
export async function loadPortable(wanted: 'cpu' | 'wasm', folder?: string): Promise<LoadedTfjs> {
  const tf = requirePackage('@tensorflow/tfjs-core', folder) as Tf;
  // Without it every process is advised to install tfjs-node.
  tf.enableProdMode();
  requirePackage(`@tensorflow/tfjs-backend-${wanted}`, folder);
  await tf.setBackend(wanted);
  return { tf, backend: wanted, device: `CPU (TensorFlow.js ${tf.version_core}, ${wanted})` };
}

function requirePackage(name: string, folder?: string): unknown {
  const path = packageFolder(name, folder);
  if (path === undefined) throw noPortable(name);
  return createRequire(join(path, 'package.json'))(path);
}
