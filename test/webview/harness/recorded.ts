import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { RunEvent } from '../../../src/protocol/events';
import type {
  InspectedCheckpoint,
  RunDetail,
  RunSummary,
  TensorRow,
  TensorStatistics,
} from '../../../src/protocol/messages';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/webview/${name}`, import.meta.url));

/** What a real growth of the example reported (makeFixtures.ts). */
const events: readonly RunEvent[] = gunzipSync(fixture('growth.jsonl.gz'))
  .toString('utf8')
  .split('\n')
  .map(line => JSON.parse(line) as RunEvent);

/** The events of one kind. */
export const eventsOf = <K extends RunEvent['type']>(type: K): Extract<RunEvent, { type: K }>[] =>
  events.filter((event): event is Extract<RunEvent, { type: K }> => event.type === type);

const losses = eventsOf('step').map(({ loss }) => loss);

/** A run's summary when `step` steps were made. */
export function summaryAt(step: number, change: Partial<RunSummary> = {}): RunSummary {
  return {
    id: 'run-1',
    kind: 'grow',
    title: 'bert-kjv → 6 layers × 96',
    status: 'running',
    created: Date.UTC(2026, 10, 23, 15, 51),
    phase: 'learning operators',
    step,
    steps: losses.length,
    heldOutLoss: undefined,
    loss: losses[step - 1],
    lossHistory: losses.slice(0, step),
    secondsLeft: (losses.length - step) * 0.36,
    tokensPerSecond: 5623,
    device: eventsOf('device')[0]?.device,
    reason: 'CPU, 2 threads: no GPU found',
    usage: { residentBytes: 412 * 2 ** 20 },
    out: 'models/bert-kjv-6x96',
    failure: undefined,
    ...change,
  };
}

/** The whole run when `step` steps were made; all of them means done. */
export function runAt(step: number): RunDetail {
  const done = step >= losses.length;
  const receipt = eventsOf('done')[0]?.receipt;
  return {
    summary: summaryAt(step, done ? { status: 'done', secondsLeft: undefined } : {}),
    plan: eventsOf('plan')[0]?.plan,
    curve: {
      steps: losses.slice(0, step).map((_, index) => index + 1),
      losses: losses.slice(0, step),
    },
    evaluations: eventsOf('evaluation').filter(({ model }) => done || model !== 'after'),
    snapshots: eventsOf('operators').filter(snapshot => snapshot.step <= step),
    warnings: [],
    receipt: done ? receipt : undefined,
    training: undefined,
    comparison: undefined,
  };
}

interface Inspected {
  readonly tensors: readonly TensorRow[];
  readonly metadata: Readonly<Record<string, string>>;
}

const inspected = JSON.parse(fixture('inspected.json').toString('utf8')) as Inspected;

/** The example as the inspector shows it. */
export const checkpoint: InspectedCheckpoint = {
  path: 'examples/bert-kjv',
  name: 'bert-kjv',
  facts: [
    { label: 'Model', value: 'BertForMaskedLM' },
    { label: 'Layers × hidden', value: '3 × 64' },
    { label: 'Parameters', value: '229,248' },
    { label: 'Types', value: 'F32' },
    { label: 'Size', value: '895.5 KiB' },
  ],
  tensors: inspected.tensors,
  canGrow: true,
  problems: [],
  notes: [],
  ignored: [],
  metadata: inspected.metadata,
};

/** Statistics of one of its tensors. */
export const statistics = JSON.parse(
  fixture('statistics.json').toString('utf8'),
) as TensorStatistics;
