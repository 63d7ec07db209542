import { availableParallelism } from 'node:os';
import { serializeProgram } from '../../graph/onnx/serialize';
import { threadsText } from '../../protocol/engineText';
import type { Engine, Precision } from '../engine';
import { HostMemoryExecutable } from './hostMemory';
import { ort } from './runtime';
import { productsAt, runtimeVersion } from './values';

/** ONNX Runtime on the CPU: ships inside its npm package, needs nothing installed. */
export function onnxRuntimeCpu(options: { threads?: number; precision?: Precision } = {}): Engine {
  const threads = options.threads ?? availableParallelism();
  return {
    description: {
      name: 'cpu',
      device: `CPU, ${threadsText(threads)} (ONNX Runtime ${runtimeVersion(ort)})`,
      ...(options.precision && { precision: options.precision }),
    },
    compile: async (program, { precision = options.precision } = {}) => {
      const { bytes, ...names } = serializeProgram(program, {
        products: productsAt(precision),
      });
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // A third less memory at equal speed (the pattern reserves the sum of all buffers at once).
        enableMemPattern: false,
        logSeverityLevel: 3,
      });
      return new HostMemoryExecutable(ort, session, program, names);
    },
    dispose: () => Promise.resolve(),
  };
}
