import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Machine } from '../protocol/engines';
import { findAdapters } from './adapters';
import { freeMemory } from './memory';
import { findVulkan } from './vulkan';

let known: Promise<Machine> | undefined;

/** What this machine has. Asked once a process: devices do not change under a run. */
export const readMachine = (): Promise<Machine> => (known ??= examine());

async function examine(): Promise<Machine> {
  const [{ adapters, problem }, { ort }] = await Promise.all([
    findAdapters(),
    import('./onnxruntime/runtime'),
  ]);
  return {
    platform: process.platform,
    architecture: process.arch,
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freeMemory(),
    adapters,
    ...(problem !== undefined && { adapterProblem: problem }),
    ...(process.platform === 'linux' && { vulkan: findVulkan() }),
    onnxRuntime: {
      version: ort.env.versions.node ?? ort.env.versions.common,
      backends: ort.listSupportedBackends().map(({ name }) => name),
    },
  };
}
