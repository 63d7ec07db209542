import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseEngine } from '../../../src/engine/choose';
import { reportEngines, type Installed } from '../../../src/engine/reports';
import type { EngineName, Machine } from '../../../src/protocol/engines';
import { intelGraphics, machine, nothing, rtx4070, serverDisplay } from './machines';

interface Case {
  readonly on: string;
  readonly machine: Machine;
  readonly installed?: Partial<Installed>;
  readonly takes: EngineName;
  readonly because: string;
}

const nouveauOnly = { loader: '/usr/lib/libvulkan.so.1', drivers: ['lvp_icd.x86_64.json'] };
const withoutDriver = { ...rtx4070, driver: undefined } as unknown as typeof rtx4070;

const cases: readonly Case[] = [
  {
    on: 'a machine without a GPU',
    machine: machine(),
    takes: 'cpu',
    because: 'CPU, 16 threads: no GPU found',
  },
  {
    on: 'a machine with one thread',
    machine: machine({ threads: 1 }),
    takes: 'cpu',
    because: 'CPU, 1 thread: no GPU found',
  },
  {
    on: 'an NVIDIA card with CUDA installed',
    machine: machine({ adapters: [rtx4070] }),
    installed: { engines: ['cuda'] },
    takes: 'cuda',
    because: 'CUDA on NVIDIA GeForce RTX 4070, 12 GB',
  },
  {
    on: 'an NVIDIA card with CUDA and TensorFlow.js installed',
    machine: machine({ adapters: [rtx4070] }),
    installed: { engines: ['cuda', 'tfjs-gpu'] },
    takes: 'cuda',
    because: 'CUDA on NVIDIA GeForce RTX 4070, 12 GB',
  },
  {
    on: 'an NVIDIA card with TensorFlow.js for GPUs installed',
    machine: machine({ adapters: [rtx4070] }),
    installed: { engines: ['tfjs-gpu'] },
    takes: 'tfjs-gpu',
    because: 'TensorFlow.js (GPU) on NVIDIA GeForce RTX 4070, 12 GB; CUDA not installed',
  },
  {
    on: 'an NVIDIA card with nothing installed',
    machine: machine({ adapters: [rtx4070] }),
    takes: 'webgpu',
    because: 'WebGPU on NVIDIA GeForce RTX 4070, 12 GB; CUDA not installed',
  },
  {
    on: 'an NVIDIA card whose CUDA provider misses cuDNN',
    machine: machine({ adapters: [rtx4070] }),
    installed: { engines: ['cuda'], missingCuda: ['cuDNN 9 (libcudnn.so.9)'] },
    takes: 'webgpu',
    because: 'WebGPU on NVIDIA GeForce RTX 4070, 12 GB; CUDA: missing: cuDNN 9 (libcudnn.so.9)',
  },
  {
    on: 'integrated graphics',
    machine: machine({ adapters: [intelGraphics] }),
    takes: 'webgpu',
    because: 'WebGPU on Intel UHD Graphics 770',
  },
  {
    on: 'a discrete card beside integrated graphics',
    machine: machine({ adapters: [rtx4070, intelGraphics] }),
    takes: 'webgpu',
    because: 'WebGPU on NVIDIA GeForce RTX 4070, 12 GB; CUDA not installed',
  },
  {
    on: 'a card without a driver, where only a software adapter answers',
    machine: machine({ adapters: [withoutDriver], vulkan: nouveauOnly }),
    takes: 'cpu',
    because: "CPU, 16 threads: CUDA: NVIDIA's driver is not installed for NVIDIA GeForce RTX 4070",
  },
  {
    on: 'a software adapter alone',
    machine: machine({ vulkan: nouveauOnly }),
    takes: 'cpu',
    because: 'CPU, 16 threads: no GPU found; llvmpipe computes on the CPU',
  },
  {
    on: 'the display chip of a server',
    machine: machine({ adapters: [serverDisplay] }),
    takes: 'cpu',
    because: 'CPU, 16 threads: ASPEED Graphics Family is no GPU',
  },
  {
    on: 'integrated graphics without the Vulkan loader',
    machine: machine({
      adapters: [intelGraphics],
      vulkan: { drivers: ['intel_icd.x86_64.json'] },
    }),
    takes: 'cpu',
    because: 'CPU, 16 threads: WebGPU: no Vulkan loader (libvulkan.so.1)',
  },
  {
    on: 'a driver that does not answer',
    machine: machine({ adapterProblem: 'the NVIDIA driver does not answer (nvidia-smi hangs)' }),
    takes: 'cpu',
    because: 'CPU, 16 threads: the NVIDIA driver does not answer (nvidia-smi hangs)',
  },
  {
    on: 'a Mac',
    machine: machine({
      platform: 'darwin',
      architecture: 'arm64',
      adapters: [{ name: 'Apple M3', vendor: 'apple', kind: 'integrated' }],
    }),
    takes: 'webgpu',
    because: 'WebGPU on Apple M3',
  },
  {
    on: 'an old Mac, for which ONNX Runtime has no WebGPU',
    machine: machine({
      platform: 'darwin',
      adapters: [{ name: 'AMD Radeon Pro 5500M', vendor: 'amd', kind: 'discrete' }],
      onnxRuntime: { version: '1.30.0', backends: ['cpu'] },
    }),
    takes: 'cpu',
    because: 'CPU, 16 threads: ONNX Runtime has no WebGPU for darwin x64',
  },
  {
    on: 'TensorFlow.js for CPUs, which is slower than the CPU engine',
    machine: machine(),
    installed: { engines: ['tfjs-node'] },
    takes: 'cpu',
    because: 'CPU, 16 threads: no GPU found',
  },
];

describe('auto', () => {
  for (const { on, takes, because, installed, ...given } of cases) {
    it(`takes ${takes} on ${on}, and says why`, () => {
      const reports = reportEngines(given.machine, { ...nothing, ...installed });
      assert.deepEqual(chooseEngine(reports), { name: takes, reason: because });
    });
  }
});
