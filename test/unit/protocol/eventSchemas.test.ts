import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loggedEvent, runEvent } from '../../../src/protocol/eventSchemas';
import type { RunEvent } from '../../../src/protocol/events';
import { compare } from '../../../src/run/compare/compare';
import { grow } from '../../../src/run/grow/grow';
import { defaultTrainSettings } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { bible, recorded, shortSettings, temporaryFolder } from '../run/support';

const checkpoint = example('gpt2-kjv');
const target = { layers: 4 };
/** As it is after it was written down. */
const written = (event: object): unknown => JSON.parse(JSON.stringify(event));

describe('what a run tells', () => {
  const told: RunEvent[] = [];
  before(async () => {
    const folder = temporaryFolder();
    const grown = recorded();
    await grow(grown.context, {
      ...{ checkpoint, target, out: join(folder, 'grown'), method: 'ligo', seed: 0, data: bible },
      settings: shortSettings(2),
    });
    const compared = recorded();
    await compare(compared.context, {
      ...{ checkpoint, target, out: join(folder, 'compared'), data: bible, methods: ['stack'] },
      ...{ seeds: [0], growthSteps: 1, evaluateEvery: 1, keep: 'winner' },
      training: { ...defaultTrainSettings, steps: 2, warmup: 1 },
    });
    told.push(...grown.events, ...compared.events);
  });

  it('passes its check, and nothing of it is unknown to the check', () => {
    const types = new Set(told.map(({ type }) => type));
    for (const type of ['plan', 'step', 'operators', 'evaluation', 'comparison', 'done'] as const) {
      assert.ok(types.has(type), type);
    }
    for (const event of told) assert.deepEqual(runEvent.parse(written(event)), written(event));
  });

  it('is read back from a log with all that whoever follows it needs', () => {
    for (const event of told) {
      const whole = runEvent.parse(written(event));
      const read = loggedEvent.parse(written(event));
      assert.deepEqual({ ...whole, ...read }, whole);
    }
  });
});

describe('a line of a log', () => {
  it('has NaN again where JSON had to write null', () => {
    const step = { type: 'step', step: 1, steps: 2, loss: NaN, seconds: 1, time: 0 };
    const read = loggedEvent.parse(written({ ...step, tokensPerSecond: Infinity }));
    assert.deepEqual(read, { ...step, tokensPerSecond: NaN });
  });

  it('may lack what only later versions tell', () => {
    const model = {
      ...{ family: 'gpt2', modelClass: 'GPT2LMHeadModel', layers: 2, hidden: 4, heads: 2, ffn: 8 },
      parameters: 100,
    };
    const receipt = {
      ...{ software: { name: 's', version: '1' }, created: '2026-11-25T00:00:00.000Z' },
      ...{ source: { ...model, path: '/a', sha256: 'x' }, target: model, seed: 0, steps: 3 },
      ...{ method: { name: 'ligo' }, warnings: [] },
    };
    const end = { type: 'done', out: '/out', receipt, time: 1 };
    assert.deepEqual(loggedEvent.parse(end), end);
  });

  it('is the end of a run also where its receipt is none', () => {
    const end = { type: 'done', out: '/out', receipt: { created: 'never' }, time: 1 };
    assert.deepEqual(loggedEvent.parse(end), { ...end, receipt: undefined });
  });
});
