import type { EngineName } from '../protocol/engines';
import { UnsupportedError } from '../errors';
import type { Engine, Precision } from './engine';
import { set } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** What an engine is opened with. */
export interface OpenOptions {
  /** Of the CPU engine; as many as the machine has by default. */
  readonly threads: number | undefined;
  /** What the survey calls its device. */
  readonly device: string;
  /** Where the optional engine was installed. */
  readonly folder: string;
  /** float32 where absent. */
  readonly precision?: Precision | undefined;
}

/** Starts one engine; rejects with UserError when it cannot run. */
export type OpenNamed = (name: EngineName, options: OpenOptions) => Promise<Engine>;

/** Engines that have float16 kernels for products. */
const float16Engines: ReadonlySet<EngineName> = new Set<EngineName>(['webgpu', 'cuda', 'dml']);

/** The real engines. Each loads native code, which nobody who does not compute should wait for. */
export const openNamed: OpenNamed = async (name, { threads, device, folder, precision }) => {
  if (precision === 'mixed' && !float16Engines.has(name)) {
    throw new UnsupportedError(
      `The ${name} engine computes in float32 only.`,
      advise`${set('precision', 'float32')}, or ${set('engine', 'webgpu')} or cuda.`,
    );
  }
  const mixed = precision === 'mixed' ? ({ precision } as const) : {};
  switch (name) {
    case 'cpu': {
      const { onnxRuntimeCpu } = await import('./onnxruntime/cpu');
      return onnxRuntimeCpu(threads === undefined ? {} : { threads });
    }
    case 'webgpu': {
      const { openWebGpu } = await import('./onnxruntime/webgpu');
      return openWebGpu({ adapter: device, ...mixed });
    }
    case 'tfjs-gpu':
    case 'tfjs-node': {
      const { openTfjs } = await import('./tfjs');
      return openTfjs({ backend: name === 'tfjs-gpu' ? 'gpu' : 'node', folder });
    }
    case 'cuda':
    case 'dml': {
      const { openProvider } = await import('./onnxruntime/provider');
      return openProvider(name, { folder, device, ...mixed });
    }
  }
};
