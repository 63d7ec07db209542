import type { InferenceSession } from 'onnxruntime-node';
import { serializeProgram } from '../../graph/onnx/serialize';
import type { Engine, Precision } from '../engine';
import { DeviceMemoryExecutable } from './deviceMemory';
import { DeviceTransfer } from './deviceTransfer';
import { ort } from './runtime';
import { productsAt, runtimeVersion } from './values';
import { explainCompile, explainRun, explainStart } from './webgpuErrors';
import { checkTensorSizes, requireFloat16 } from './webgpuLimits';

/** Where each output of a session is wanted, or all of them. */
type Locations = Readonly<Record<string, 'cpu' | 'gpu-buffer'>> | 'cpu' | 'gpu-buffer';

/**
 * ONNX Runtime on WebGPU (Dawn on Vulkan, Direct3D 12 or Metal), inside the same package: state and
 * frozen inputs stay on the device, and no node may fall back to the CPU.
 *
 * The runtime does not tell which adapter it took; `adapter` is its name where something else told.
 * Throws UserError when there is no adapter.
 */
export async function openWebGpu(
  options: { adapter?: string; precision?: Precision } = {},
): Promise<Engine> {
  const transfer = new DeviceTransfer(ort, openSession);
  try {
    // The first session asks for the adapter.
    await transfer.probe();
  } catch (error) {
    throw explainStart(error);
  }
  if (options.precision === 'mixed') await requireFloat16(ort, openOnHost);
  const adapter = options.adapter ? ` on ${options.adapter}` : '';
  return {
    description: {
      name: 'webgpu',
      device: `WebGPU${adapter} (ONNX Runtime ${runtimeVersion(ort)})`,
      ...(options.precision && { precision: options.precision }),
    },
    compile: async (program, { precision = options.precision } = {}) => {
      await checkTensorSizes(program, ort, openOnHost);
      const { bytes, ...names } = serializeProgram(program, {
        dialect: 'webgpu',
        products: productsAt(precision),
      });
      const locations = Object.fromEntries([
        ...[...names.outputNames.values()].map(name => [name, 'cpu'] as const),
        ...[...names.nextNames.values()].map(name => [name, 'gpu-buffer'] as const),
      ]);
      const session = await openSession(bytes, locations).catch((error: unknown) => {
        throw explainCompile(error);
      });
      return new DeviceMemoryExecutable(ort, transfer, session, program, names, explainRun);
    },
    dispose: () => transfer.dispose(),
  };
}

const openOnHost = (model: Uint8Array) => openSession(model, 'cpu');

/** A session on the device; rejects when a node would run on the CPU. */
export function openSession(model: Uint8Array, locations: Locations): Promise<InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    preferredOutputLocation: locations,
    enableMemPattern: false,
    // Failures reach us as exceptions.
    logSeverityLevel: 4,
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
}
