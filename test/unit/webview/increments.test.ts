import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoggedEvent } from '../../../src/protocol/events';
import type { RunSummary } from '../../../src/protocol/messages';
import { newRun, reduce, type RunState } from '../../../src/protocol/runState';
import { incrementBetween, toldDetail } from '../../../src/protocol/runViews';
import { appendTo, pageRun } from '../../../webview/run/runState';

const time = 0;
const device: LoggedEvent = { type: 'device', engine: 'cpu', device: 'CPU', time };
const step = (at: number, loss = 10 - at): LoggedEvent => ({
  ...{ type: 'step', step: at, steps: 10, loss, seconds: 1, tokensPerSecond: 7, time },
});
const evaluation = (model: string, at: number, loss: number): LoggedEvent => ({
  ...{ type: 'evaluation', model, step: at, loss, batches: 1, time },
});
const warning: LoggedEvent = { type: 'warning', message: 'Short.', remedy: 'Look.', time };
const stopped: LoggedEvent = {
  ...{ type: 'failed', message: 'Stopped.', remedy: 'Resume.', interrupted: true, time },
};
const summary = { id: 'a' } as RunSummary;

test('increments make of a page what the whole run would, also when the run goes back', () => {
  const told: readonly (readonly LoggedEvent[])[] = [
    [device, evaluation('small', 0, 4), step(1)],
    [step(2), step(3), warning],
    [stopped],
    [device, evaluation('small', 0, 3), step(2, 1)],
    [step(3), step(4), evaluation('after', 4, 2), { type: 'done', out: '/out', time }],
  ];
  let state = newRun();
  let page = pageRun({ ...toldDetail(state), summary });
  for (const events of told) {
    const next = events.reduce<RunState>(reduce, state);
    const increment = incrementBetween(state, next);
    page = appendTo(page, { type: 'append', summary, snapshots: [], ...increment });
    assert.deepEqual(page, pageRun({ ...toldDetail(next), summary }));
    state = next;
  }
});
