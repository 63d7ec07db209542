import type { GraphicsAdapter, Machine } from '../../../src/protocol/engines';
import type { Installed } from '../../../src/engine/reports';

const gibibyte = 2 ** 30;

/** A desktop with 16 threads and 32 GiB, by default on Linux with Vulkan and without a GPU. */
export const machine = (changes: Partial<Machine> = {}): Machine => ({
  platform: 'linux',
  architecture: 'x64',
  cpu: 'AMD Ryzen 9',
  threads: 16,
  memoryBytes: 32 * gibibyte,
  freeMemoryBytes: 20 * gibibyte,
  adapters: [],
  ...((changes.platform ?? 'linux') === 'linux' && {
    vulkan: {
      loader: '/usr/lib/libvulkan.so.1',
      drivers: ['nvidia_icd.json', 'radeon_icd.x86_64.json', 'intel_icd.x86_64.json'],
    },
  }),
  onnxRuntime: { version: '1.30.0', backends: ['cpu', 'webgpu', 'cuda'] },
  ...changes,
});

export const rtx4070: GraphicsAdapter = {
  name: 'NVIDIA GeForce RTX 4070',
  vendor: 'nvidia',
  kind: 'discrete',
  driver: '550.54',
  memoryBytes: 12_282 * 2 ** 20,
  freeMemoryBytes: 11_000 * 2 ** 20,
  utilization: 0.03,
};

export const intelGraphics: GraphicsAdapter = {
  name: 'Intel UHD Graphics 770',
  vendor: 'intel',
  kind: 'integrated',
};

export const serverDisplay: GraphicsAdapter = {
  name: 'ASPEED Graphics Family',
  vendor: 'other',
  kind: 'software',
};

export const nothing: Installed = {
  engines: [],
  incomplete: [],
  missingCuda: [],
  built: {},
  missingTensorFlowCuda: [],
};
