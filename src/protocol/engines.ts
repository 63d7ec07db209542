/** What a person may ask for: `--engine`, the setting `ligo.engine`, a run's request. */
export const engineChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'tfjs'] as const;
export type EngineChoice = (typeof engineChoices)[number];

/** Engines as they are examined: TensorFlow.js has one build for GPUs and one for CPUs. */
export const engineNames = ['cpu', 'webgpu', 'cuda', 'dml', 'tfjs-gpu', 'tfjs-node'] as const;
export type EngineName = (typeof engineNames)[number];

/** Engines that do not come with this software and can be installed on request. */
export const optionalEngines = ['cuda', 'tfjs-gpu', 'tfjs-node'] as const;
export type OptionalEngine = (typeof optionalEngines)[number];

/**
 * What computes. `software` is a graphics driver that computes on the CPU, slower than the CPU
 * engine: it is never chosen by itself.
 */
export type DeviceKind = 'discrete' | 'integrated' | 'software' | 'cpu';

/** A graphics adapter as the system tells of it. What is not told is absent. */
export interface GraphicsAdapter {
  readonly name: string;
  readonly vendor: 'nvidia' | 'amd' | 'intel' | 'apple' | 'qualcomm' | 'other';
  readonly kind: Exclude<DeviceKind, 'cpu'>;
  readonly driver?: string;
  /** Of its own; absent where it shares the machine's memory. */
  readonly memoryBytes?: number;
  readonly freeMemoryBytes?: number;
  /** Share of time it computed lately, 0…1. */
  readonly utilization?: number;
}

/** What this machine has, as far as engines care. */
export interface Machine {
  /** As Node says it: linux, darwin, win32. */
  readonly platform: string;
  readonly architecture: string;
  readonly cpu: string;
  readonly threads: number;
  readonly memoryBytes: number;
  /** What a process may still take. */
  readonly freeMemoryBytes: number;
  readonly adapters: readonly GraphicsAdapter[];
  /** Why adapters may be missing from the list: a driver that does not answer. */
  readonly adapterProblem?: string;
  /** Linux only: other systems bring their graphics interface along. */
  readonly vulkan?: {
    /** Path of libvulkan.so.1. */
    readonly loader?: string;
    /** Manifests of drivers, by file name: nvidia_icd.json. */
    readonly drivers: readonly string[];
  };
  readonly onnxRuntime: {
    readonly version: string;
    /** Execution providers that its build knows. */
    readonly backends: readonly string[];
  };
}

/** An engine on this machine: whether it can run, and what to do when it cannot. */
export interface EngineReport {
  readonly name: EngineName;
  /** For people: `TensorFlow.js (GPU)`. */
  readonly title: string;
  readonly state: 'ready' | 'notInstalled' | 'unusable';
  /** What it would compute on: `NVIDIA RTX 4070`. */
  readonly device: string;
  readonly kind: DeviceKind;
  /** Of the device, where the system tells. */
  readonly memoryBytes?: number;
  /** Most of it that is free now. */
  readonly freeMemoryBytes?: number;
  /** What is missing, or the version that was found; one short line. */
  readonly note: string;
  /** One thing to do about what is missing. */
  readonly remedy?: string;
}

/** An engine's part of a self test. */
export type SelfTestResult = { readonly name: EngineName } & (
  | {
      readonly outcome: 'agrees' | 'differs';
      /** Largest relative difference of a loss from the CPU's. */
      readonly difference: number;
      /** Of a step after the first. */
      readonly secondsPerStep: number;
      readonly device: string;
    }
  | { readonly outcome: 'failed'; readonly message: string; readonly remedy: string }
);

/** Everything `ligo doctor` tells. */
export interface EngineSurvey {
  readonly machine: Machine;
  readonly engines: readonly EngineReport[];
  /** What `auto` chooses, and why. */
  readonly choice: { readonly name: EngineName; readonly reason: string };
  /** Where optional engines are installed. */
  readonly folder: string;
}
