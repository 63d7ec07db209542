// One growth that is watched: what it is comes as JSON, how much each part of it took goes out as JSON.
// Run by sizes.ts. Linux only: the kernel's high-water mark is read and set back.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ChosenEngine } from '../../src/engine';
import { onnxRuntimeCpu } from '../../src/engine';
import { engineFolder, folderOf } from '../../src/engine/folder';
import { openTfjs, type TfjsOptions } from '../../src/engine/tfjs';
import type { RunEvent } from '../../src/protocol/events';
import { grow, type GrowRequest } from '../../src/run/grow/grow';
import { commandLine } from '../../src/remedy/commandLine';
import { eventInWords } from '../../src/run/context';

/** What the child is told to do. */
export interface WatchedGrowth {
  readonly engine: 'cpu' | 'tfjs-cpu' | 'tfjs-wasm' | 'tfjs-node';
  readonly request: GrowRequest;
}

/** What a run took from one event to the next. */
export interface Part {
  readonly until: string;
  readonly seconds: number;
  /** The most that was resident. */
  readonly bytes: number;
  /** What was resident at its end. */
  readonly after: number;
}

const status = (field: string): number =>
  1024 *
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]);

const parts: Part[] = [];
const losses: number[] = [];
let planned = 0;
let since = performance.now();
function mark(until: string): void {
  const now = performance.now();
  parts.push({
    until,
    seconds: (now - since) / 1000,
    bytes: status('VmHWM'),
    after: status('VmRSS'),
  });
  since = now;
  writeFileSync('/proc/self/clear_refs', '5');
}

const nameOf = (event: RunEvent): string | undefined => {
  if (event.type === 'evaluation') return `${event.model} scored`;
  if (event.type === 'step') return `step ${event.step}`;
  return ['device', 'plan', 'done'].includes(event.type) ? event.type : undefined;
};

const backends: Readonly<Record<Exclude<WatchedGrowth['engine'], 'cpu'>, TfjsOptions>> = {
  'tfjs-cpu': { backend: 'cpu' },
  'tfjs-wasm': { backend: 'wasm' },
  'tfjs-node': { backend: 'node', folder: folderOf('tfjs-node', engineFolder()) },
};

const { engine: name, request } = JSON.parse(process.argv[2]!) as WatchedGrowth;
const openEngine = async (): Promise<ChosenEngine> => ({
  engine: name === 'cpu' ? onnxRuntimeCpu({ threads: 2 }) : await openTfjs(backends[name]),
  reason: name,
  memory: { bytes: Infinity, of: 'main memory' },
});
await grow(
  {
    emit: told => {
      const event = eventInWords(told, commandLine);
      if (event.type === 'plan') planned = event.plan.cost?.processBytes ?? 0;
      if (event.type === 'step') losses.push(event.loss);
      const until = nameOf(event);
      if (until !== undefined) mark(until);
    },
    signal: new AbortController().signal,
    engine: openEngine,
    now: () => 0,
  },
  request,
);
console.log(JSON.stringify({ parts, losses, planned }));
