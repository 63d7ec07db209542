import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { RunRecord } from '../../../src/host/runs/runRecord';
import type { RunDetail } from '../../../src/protocol/messages';
import type { LoggedEvent } from '../../../src/protocol/events';
import { loggedEvent } from '../../../src/protocol/eventSchemas';

const file = new URL('../../fixtures/webview/comparison.jsonl.gz', import.meta.url);

/** What a real comparison on the example reported (makeFixtures.ts). */
const comparisonEvents: readonly LoggedEvent[] = gunzipSync(readFileSync(file))
  .toString('utf8')
  .split('\n')
  .map(line => loggedEvent.parse(JSON.parse(line)));

/** Number of events up to this training step of a method. */
export const eventsUntil = (method: string, step: number): number =>
  comparisonEvents.findIndex(
    event =>
      event.type === 'comparison' &&
      event.phase === 'training' &&
      event.method === method &&
      event.step === step,
  ) + 1;

/** The comparison after so many of its events, as the host sends it. */
export function comparisonAt(count: number): RunDetail {
  const record = new RunRecord(
    {
      version: 1,
      id: 'compared',
      title: 'Compare gpt2-kjv → 7 × 96',
      created: Date.UTC(2026, 10, 23, 15, 51),
      kind: 'compare',
      engine: 'cpu',
      checkpoint: '/models/gpt2-kjv',
      target: { layers: 7, hidden: 96 },
      out: '/models/gpt2-kjv-compared-7x96',
      resume: false,
      overwrite: false,
      methods: ['random', 'ligo', 'stack', 'bert2bert', 'net2net', 'lemon', 'mslt'],
      data: { path: '/models/kjv.txt' },
      steps: 200,
      seeds: [0],
    },
    '',
  );
  record.apply({ type: 'device', engine: 'cpu', device: 'CPU', reason: 'CPU, 2 threads', time: 0 });
  for (const event of comparisonEvents.slice(0, count)) record.apply(event);
  return record.detail((phase, { at } = {}) =>
    at
      ? `run ${at.run} of ${at.runs}: ${at.method}, seed ${at.seed}, step ${at.step} of ${at.steps}`
      : phase,
  );
}

/** The comparison when it is done. */
export const comparisonDone = (): RunDetail => comparisonAt(comparisonEvents.length);
