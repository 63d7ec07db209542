// One growth whose memory is watched: what it is comes as JSON, how much each part took goes out as
// JSON. Run by growthMemory.ts. Linux only: the kernel's high-water mark is read and set back.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ChosenEngine } from '../../src/engine';
import { onnxRuntimeCpu } from '../../src/engine';
import { openTfjs } from '../../src/engine/tfjs';
import type { RunEvent } from '../../src/protocol/events';
import { grow, type GrowRequest } from '../../src/run/grow/grow';

/** What the child is told to do. */
export interface WatchedGrowth {
  readonly engine: 'cpu' | 'tfjs-cpu' | 'tfjs-wasm';
  readonly request: GrowRequest;
}

/** The most that was resident until an event of a run, since the one before. */
export interface PhasePeak {
  readonly until: string;
  readonly bytes: number;
  /** At the event itself. */
  readonly after: number;
}

const status = (field: string): number =>
  1024 *
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]);

const phases: PhasePeak[] = [];
function mark(until: string): void {
  phases.push({ until, bytes: status('VmHWM'), after: status('VmRSS') });
  writeFileSync('/proc/self/clear_refs', '5');
}

const nameOf = (event: RunEvent): string | undefined => {
  if (event.type === 'evaluation') return `${event.model} scored`;
  if (event.type === 'step') return `step ${event.step}`;
  return ['device', 'plan', 'done'].includes(event.type) ? event.type : undefined;
};

const { engine: name, request } = JSON.parse(process.argv[2]!) as WatchedGrowth;
const openEngine = async (): Promise<ChosenEngine> => ({
  engine:
    name === 'cpu'
      ? onnxRuntimeCpu({ threads: 2 })
      : await openTfjs({ backend: name === 'tfjs-cpu' ? 'cpu' : 'wasm' }),
  reason: name,
  memory: { bytes: Infinity, of: 'main memory' },
});
await grow(
  {
    emit: event => {
      const until = nameOf(event);
      if (until !== undefined) mark(until);
    },
    signal: new AbortController().signal,
    engine: openEngine,
    now: () => 0,
  },
  request,
);
console.log(JSON.stringify({ phases, bytes: Math.max(...phases.map(({ bytes }) => bytes)) }));
