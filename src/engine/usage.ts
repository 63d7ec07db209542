import type { GraphicsAdapter } from '../protocol/engines';
import type { Usage } from '../protocol/events';
import { hasNvidiaDriver, nvidiaAdapters } from './nvidia';

/**
 * What is taken of the machine now. Only NVIDIA's driver tells of a device's memory and load, so
 * nothing is said of other adapters, nor where the CPU computes.
 * @param adapter that computes, by its name in the survey.
 */
export async function readUsage(
  adapter: string | undefined,
  ask: () => Promise<readonly GraphicsAdapter[]> = askDriver,
): Promise<Usage> {
  const residentBytes = process.memoryUsage.rss();
  if (adapter === undefined) return { residentBytes };
  // A driver that stopped answering is the run's trouble to tell, not the sampling's.
  const gpus = await ask().catch(() => []);
  const gpu = gpus.find(({ name }) => name === adapter);
  if (!gpu) return { residentBytes };
  const { memoryBytes, freeMemoryBytes, utilization } = gpu;
  return {
    residentBytes,
    device: {
      ...(memoryBytes !== undefined && { totalBytes: memoryBytes }),
      ...(memoryBytes !== undefined &&
        freeMemoryBytes !== undefined && { usedBytes: memoryBytes - freeMemoryBytes }),
      ...(utilization !== undefined && { utilization }),
    },
  };
}

const askDriver = async (): Promise<readonly GraphicsAdapter[]> =>
  hasNvidiaDriver() ? nvidiaAdapters() : [];
