import type { EngineName } from '../protocol/engines';
import type { FoundEngine } from './found';
import { engineTitles } from './reports';

/** Engines that `auto` may take, best first. */
const order: readonly EngineName[] = ['cuda', 'tfjs-gpu', 'webgpu', 'cpu'];

/**
 * The engines that `auto` would try, best first: CUDA, TensorFlow.js on a GPU, WebGPU on a real
 * adapter, the CPU. DirectML runs on adapters that WebGPU runs on, too; it is taken when asked for.
 */
export const candidates = (reports: readonly FoundEngine[]): FoundEngine[] =>
  order.flatMap(name =>
    reports.filter(
      report => report.name === name && report.state === 'ready' && report.kind !== 'software',
    ),
  );

/** The engine that suits this machine best, and why in one line. */
export function chooseEngine(reports: readonly FoundEngine[]): {
  readonly name: EngineName;
  readonly reason: string;
} {
  const [best] = candidates(reports) as [FoundEngine];
  return { name: best.name, reason: reasonFor(best, reports) };
}

/** `WebGPU on NVIDIA RTX 4070, 12 GB; CUDA not installed`, `CPU, 2 threads: no GPU found`. */
export function reasonFor(
  chosen: FoundEngine,
  reports: readonly FoundEngine[],
  failures: readonly string[] = [],
): string {
  const better = order.slice(0, order.indexOf(chosen.name));
  const absent = reports.filter(
    ({ name, state, device }) =>
      better.includes(name) && name !== 'tfjs-gpu' && state !== 'ready' && device !== 'no device',
  );
  const notes = [
    ...failures,
    ...absent.map(({ name, state, note }) =>
      state === 'notInstalled'
        ? `${engineTitles[name]} not installed`
        : `${engineTitles[name]}: ${note}`,
    ),
  ];
  if (chosen.name !== 'cpu') return [describeEngine(chosen), ...notes].join('; ');
  if (notes.length === 0) {
    const webGpu = reports.find(({ name }) => name === 'webgpu');
    if (webGpu) notes.push(webGpu.note);
  }
  return `${describeEngine(chosen)}: ${notes.join('; ')}`;
}

/** An engine with its device and memory on one line. */
export const describeEngine = ({ name, device, kind, memoryBytes }: FoundEngine): string => {
  if (name === 'cpu') return device;
  const own = kind === 'discrete' && memoryBytes !== undefined;
  return `${engineTitles[name]} on ${device}${own ? `, ${gigabytes(memoryBytes)}` : ''}`;
};

/** Memory as its makers count it: 12 GB for 12,282 MiB. */
const gigabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 30)} GB`;
