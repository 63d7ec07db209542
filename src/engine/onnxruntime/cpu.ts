import { availableParallelism } from 'node:os';
import { keptInputs, peakBytes, programResults, tensorBytes, type Program } from '../../graph';
import { serializeProgram } from '../../graph/onnx/serialize';
import { threadsText } from '../../protocol/engineText';
import type { Engine, Precision } from '../engine';
import { inPlaceValues } from '../inPlace';
import { HostMemoryExecutable } from './hostMemory';
import { ort } from './runtime';
import { productsAt, runtimeVersion } from './values';

/**
 * Bytes that a run makes, up to which the runtime keeps its memory from run to run: that saves a twentieth
 * of the time, and takes about a third more.
 */
const largestArena = 0.9e9;

/** ONNX Runtime on the CPU: ships inside its npm package, needs nothing installed. */
export function onnxRuntimeCpu(options: { threads?: number; precision?: Precision } = {}): Engine {
  const threads = options.threads ?? availableParallelism();
  return {
    description: {
      name: 'cpu',
      device: `CPU, ${threadsText(threads)} (ONNX Runtime ${runtimeVersion(ort)})`,
      ...(options.precision && { precision: options.precision }),
    },
    compile: async (program, { precision = options.precision, spareMemory = false } = {}) => {
      const { bytes, ...names } = serializeProgram(program, {
        products: productsAt(precision),
      });
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: ['cpu'],
        // Programs come simplified: a session is made in a third of the time and runs as fast.
        graphOptimizationLevel: 'disabled',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // A third less memory at equal speed (the pattern reserves the sum of all buffers at once).
        enableMemPattern: false,
        enableCpuMemArena: !spareMemory && madeBytes(program) <= largestArena,
        logSeverityLevel: 3,
      });
      return new HostMemoryExecutable(ort, session, program, names);
    },
    dispose: () => Promise.resolve(),
  };
}

/** The most bytes of what a run makes that are alive at once. */
const madeBytes = (program: Program): number =>
  peakBytes(programResults(program), inPlaceValues(program)) -
  keptInputs(program).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
