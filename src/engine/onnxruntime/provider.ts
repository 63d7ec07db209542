import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as ort from 'onnxruntime-node';
import { UserError } from '../../errors';
import { input } from '../../graph/build/sources';
import { add } from '../../graph/build/elementwise';
import { serializeProgram } from '../../graph/onnx/serialize';
import type { Engine, Precision } from '../engine';
import { HostMemoryExecutable } from './hostMemory';
import { ort as bundled, quiet } from './runtime';
import { productsAt, runtimeVersion } from './values';
import { saidBy } from './saidBy';
import { install, set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Execution providers whose library is a part of its own: fetched on request, or of one platform. */
const providers = {
  cuda: {
    title: 'CUDA',
    remedy: advise`${install('cuda')} (Linux x64, CUDA 12 and cuDNN 9), or ${set('engine', 'cpu')}.`,
  },
  dml: { title: 'DirectML', remedy: advise`It exists on Windows only: ${set('engine', 'auto')}.` },
} as const;
export type ProviderName = keyof typeof providers;

/** The runtime that was installed with a provider's library, else the one beside us. */
function loadRuntime(folder: string | undefined): typeof ort {
  if (folder !== undefined) {
    const require = createRequire(join(folder, 'package.json'));
    try {
      return quiet(require('onnxruntime-node') as typeof ort);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return bundled;
}

/**
 * ONNX Runtime with CUDA or DirectML. Frozen inputs and state lie in main memory and are copied at
 * every run, since the runtime's JavaScript keeps buffers on WebGPU devices only; LiGO's state is
 * small. `folder` is where optional engines were installed. Throws UserError when the provider's
 * library is missing or no device answers.
 */
export async function openProvider(
  name: ProviderName,
  { folder, device, precision }: { folder?: string; device?: string; precision?: Precision } = {},
): Promise<Engine> {
  const { title, remedy } = providers[name];
  const runtime = loadRuntime(folder);
  const open = (model: Uint8Array) =>
    runtime.InferenceSession.create(model, {
      executionProviders: [name],
      enableMemPattern: false,
      logSeverityLevel: 4,
    });
  try {
    await tryDevice(open);
  } catch (error) {
    throw new UserError(`${title} cannot be used: ${saidBy(error)}.`, remedy, { cause: error });
  }
  const on = device ? ` on ${device}` : '';
  return {
    description: {
      name,
      device: `${title}${on} (ONNX Runtime ${runtimeVersion(runtime)})`,
      ...(precision && { precision }),
    },
    compile: async (program, { precision: wanted = precision } = {}) => {
      const { bytes, ...names } = serializeProgram(program, {
        products: productsAt(wanted),
      });
      return new HostMemoryExecutable(runtime, await open(bytes), program, names);
    },
    dispose: () => Promise.resolve(),
  };
}

/** Makes a session of one addition, which loads the provider's library and asks for the device. */
async function tryDevice(
  open: (model: Uint8Array) => Promise<ort.InferenceSession>,
): Promise<void> {
  const x = input('x', [1]);
  const { bytes } = serializeProgram({
    feeds: [x],
    frozen: [],
    state: [],
    outputs: { y: add(x, x) },
  });
  const session = await open(bytes);
  await session.release();
}
