import type { EngineName, GraphicsAdapter, Machine, OptionalEngine } from '../protocol/engines';
import { threadsText } from '../protocol/engineText';
import { downloadedTensorFlow, unsupportedSystem } from './folder';
import type { BuiltWith } from './tfjs/packages';
import { hasDriverFor, softwareRenderer } from './vulkan';
import { install } from '../remedy/actions';
import { advise } from '../remedy/remedy';
import type { FoundEngine } from './found';

/** What is known of installed engines, beside the machine. */
export interface Installed {
  /** Optional engines whose folder is there. */
  readonly engines: readonly OptionalEngine[];
  /** Those that were installed without native parts that they download. */
  readonly incomplete: readonly OptionalEngine[];
  /** What CUDA lacks for ONNX Runtime's provider. */
  readonly missingCuda: readonly string[];
  /** What TensorFlow.js was built with here, where it was. */
  readonly built: Partial<Readonly<Record<OptionalEngine, BuiltWith>>>;
  /** What CUDA lacks for the TensorFlow that was built with. */
  readonly missingTensorFlowCuda: readonly string[];
}

type Finding = Omit<FoundEngine, 'name' | 'title'>;

/** Names of engines for people. */
export const engineTitles: Readonly<Record<EngineName, string>> = {
  cpu: 'CPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  dml: 'DirectML',
  'tfjs-gpu': 'TensorFlow.js (GPU)',
  'tfjs-node': 'TensorFlow.js (CPU)',
};

/** What every engine of this system finds on a machine. */
export function reportEngines(machine: Machine, installed: Installed): FoundEngine[] {
  const findings: readonly (readonly [EngineName, Finding])[] = [
    ['cpu', cpu(machine)],
    ['webgpu', webGpu(machine)],
    ['cuda', cuda(machine, installed)],
    ...(machine.platform === 'win32' ? [['dml', directMl(machine)] as const] : []),
    ['tfjs-gpu', tensorFlowGpu(machine, installed)],
    ['tfjs-node', tensorFlowCpu(machine, installed)],
  ];
  return findings.map(([name, finding]) => ({ name, title: engineTitles[name], ...finding }));
}

const runtimeOf = ({ onnxRuntime }: Machine): string => `ONNX Runtime ${onnxRuntime.version}`;

const onCpu = (machine: Machine) => ({
  device: `CPU, ${threadsText(machine.threads)}`,
  kind: 'cpu' as const,
  memoryBytes: machine.memoryBytes,
  freeMemoryBytes: machine.freeMemoryBytes,
});

const onAdapter = ({ name, kind, memoryBytes, freeMemoryBytes }: GraphicsAdapter) => ({
  device: name,
  kind,
  ...(memoryBytes !== undefined && { memoryBytes }),
  ...(freeMemoryBytes !== undefined && { freeMemoryBytes }),
});

const cpu = (machine: Machine): Finding => ({
  ...onCpu(machine),
  state: 'ready',
  note: runtimeOf(machine),
});

const noGpu = ({ adapters, adapterProblem }: Machine): string =>
  adapterProblem ?? (adapters.length === 0 ? 'no GPU found' : `${adapters[0]!.name} is no GPU`);

const nowhere = { device: 'no device', kind: 'cpu' as const };

function webGpu(machine: Machine): Finding {
  const { adapters, onnxRuntime, platform, architecture, vulkan } = machine;
  if (!onnxRuntime.backends.includes('webgpu')) {
    const note = `ONNX Runtime has no WebGPU for ${platform} ${architecture}`;
    return { ...nowhere, state: 'unusable', note };
  }
  const hardware = adapters.filter(({ kind }) => kind !== 'software');
  const [gpu] = hardware;
  if (!vulkan) {
    return gpu
      ? { ...onAdapter(gpu), state: 'ready', note: runtimeOf(machine) }
      : { ...nowhere, state: 'unusable', note: noGpu(machine) };
  }
  const served = hardware.find(adapter => hasDriverFor(adapter, vulkan.drivers));
  if (served) {
    return vulkan.loader === undefined
      ? { ...onAdapter(served), state: 'unusable', ...noLoader }
      : { ...onAdapter(served), state: 'ready', note: `${runtimeOf(machine)}, Vulkan` };
  }
  const software = softwareRenderer(vulkan.drivers);
  if (software !== undefined) {
    const why = gpu ? `no Vulkan driver for ${gpu.name}` : noGpu(machine);
    return {
      ...onCpu(machine),
      kind: 'software',
      device: `${software} (software)`,
      state: 'ready',
      note: `${why}; ${software} computes on the CPU`,
      ...(gpu && { remedy: driverRemedy(gpu) }),
    };
  }
  if (!gpu) return { ...nowhere, state: 'unusable', note: noGpu(machine) };
  return {
    ...onAdapter(gpu),
    state: 'unusable',
    note: `no Vulkan driver for ${gpu.name}`,
    remedy: driverRemedy(gpu),
  };
}

const noLoader = {
  note: 'no Vulkan loader (libvulkan.so.1)',
  remedy: 'Install the Vulkan loader (Debian, Ubuntu: apt install libvulkan1).',
};

const driverRemedy = ({ vendor }: GraphicsAdapter): string =>
  vendor === 'nvidia'
    ? "Install NVIDIA's driver with its Vulkan part (Debian: nvidia-vulkan-icd)."
    : 'Install the Vulkan drivers (Debian, Ubuntu: apt install mesa-vulkan-drivers).';

/** The NVIDIA GPU that CUDA would run on, or why there is none. */
function nvidiaGpu(machine: Machine): GraphicsAdapter | Finding {
  const gpu = machine.adapters.find(({ vendor }) => vendor === 'nvidia');
  if (!gpu) {
    const { adapterProblem } = machine;
    return { ...nowhere, state: 'unusable', note: adapterProblem ?? 'no NVIDIA GPU found' };
  }
  if (gpu.driver !== undefined || machine.platform !== 'linux') return gpu;
  return {
    ...onAdapter(gpu),
    state: 'unusable',
    note: `NVIDIA's driver is not installed for ${gpu.name}`,
    remedy: "Install NVIDIA's driver.",
  };
}

const notInstalled = (gpu: GraphicsAdapter | undefined, engine: OptionalEngine) => ({
  state: 'notInstalled' as const,
  note: gpu ? driverNote(gpu, 'can be installed') : 'can be installed',
  remedy: advise`${install(engine)}.`,
});

function cuda(machine: Machine, { engines, missingCuda }: Installed): Finding {
  const elsewhere = unsupportedSystem('cuda', machine);
  if (elsewhere !== undefined) {
    const note = `ONNX Runtime's CUDA provider ${elsewhere}`;
    return { ...nowhere, state: 'unusable', note };
  }
  const gpu = nvidiaGpu(machine);
  if ('state' in gpu) return gpu;
  if (!engines.includes('cuda')) return { ...onAdapter(gpu), ...notInstalled(gpu, 'cuda') };
  if (missingCuda.length > 0) return { ...onAdapter(gpu), ...withoutCuda(missingCuda) };
  return { ...onAdapter(gpu), state: 'ready', note: driverNote(gpu, runtimeOf(machine)) };
}

const withoutCuda = (missing: readonly string[]) => ({
  state: 'unusable' as const,
  note: `missing: ${missing.join('; ')}`,
  remedy: 'Install what is missing and put it on LD_LIBRARY_PATH.',
});

const driverNote = ({ driver }: GraphicsAdapter, what: string): string =>
  driver === undefined ? what : `${what}, driver ${driver}`;

function directMl(machine: Machine): Finding {
  const gpu = machine.adapters.find(({ kind }) => kind !== 'software');
  return gpu
    ? { ...onAdapter(gpu), state: 'ready', note: driverNote(gpu, runtimeOf(machine)) }
    : { ...nowhere, state: 'unusable', note: noGpu(machine) };
}

const incompleteTfjs = (engine: OptionalEngine) => ({
  state: 'unusable' as const,
  note: 'installed without its native part: the download failed',
  remedy: advise`${install(engine)}.`,
});

function tensorFlowGpu(machine: Machine, installed: Installed): Finding {
  const { engines, incomplete, built, missingTensorFlowCuda } = installed;
  const elsewhere = unsupportedSystem('tfjs-gpu', machine);
  if (elsewhere !== undefined) {
    return { ...nowhere, state: 'unusable', note: `TensorFlow for GPUs ${elsewhere}` };
  }
  const gpu = nvidiaGpu(machine);
  if ('state' in gpu) return gpu;
  if (incomplete.includes('tfjs-gpu')) return { ...onAdapter(gpu), ...incompleteTfjs('tfjs-gpu') };
  if (!engines.includes('tfjs-gpu')) return { ...onAdapter(gpu), ...notInstalled(gpu, 'tfjs-gpu') };
  if (missingTensorFlowCuda.length > 0) {
    return { ...onAdapter(gpu), ...withoutCuda(missingTensorFlowCuda) };
  }
  const own = built['tfjs-gpu'];
  const { cuda, cudnn } = own?.cuda ?? downloadedTensorFlow;
  const takes = own && !own.cuda ? '' : `: takes CUDA ${cuda} and cuDNN ${cudnn}`;
  return { ...onAdapter(gpu), state: 'ready', note: `${versionOf(own)}${takes}` };
}

const versionOf = (built: BuiltWith | undefined): string =>
  `TensorFlow ${built?.tensorFlow ?? downloadedTensorFlow.version}`;

function tensorFlowCpu(machine: Machine, { engines, incomplete, built }: Installed): Finding {
  const device = onCpu(machine);
  if (incomplete.includes('tfjs-node')) return { ...device, ...incompleteTfjs('tfjs-node') };
  return engines.includes('tfjs-node')
    ? {
        ...device,
        state: 'ready',
        note: `${versionOf(built['tfjs-node'])}, slower than the CPU engine`,
      }
    : { ...device, ...notInstalled(undefined, 'tfjs-node') };
}
