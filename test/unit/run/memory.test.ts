import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openEngine } from '../../../src/engine';
import { UserError } from '../../../src/errors';
import { compare } from '../../../src/run/compare/compare';
import type { CompareRequest } from '../../../src/run/compare/request';
import type { RunContext } from '../../../src/run/context';
import { grow } from '../../../src/run/grow/grow';
import { requireMemory } from '../../../src/run/plan/memoryRefusal';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import { bible, entries, failure, recorded, shortSettings, temporaryFolder } from './support';
import { remedyText } from '../../support/remedyText';

/** A run on a card with this much memory left. */
function onCardWith(bytes: number): { context: RunContext; types: () => string[] } {
  const { context, events } = recorded();
  const engine = async () => ({
    ...(await openEngine({ engine: 'cpu', threads: 1 })),
    memory: { bytes, of: 'NVIDIA RTX 4070' },
  });
  return { context: { ...context, engine }, types: () => events.map(({ type }) => type) };
}

const growth = (out: string) => ({
  ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4, hidden: 80 }, seed: 0, out },
  ...{ method: 'ligo' as const, data: bible, settings: shortSettings(2) },
});

describe('a run that does not fit its device', () => {
  it('is refused in numbers before a step, and leaves nothing', async () => {
    const folder = temporaryFolder();
    const { context, types } = onCardWith(1_000_000);
    const error = await failure(
      grow(context, growth(join(folder, 'out'))),
      UserError,
      /^A step takes about [\d.]+ MB of memory, and NVIDIA RTX 4070 has 1 MB free\.$/,
    );
    assert.match(remedyText(error.remedy), /--batch/);
    assert.ok(!types().includes('step'));
    assert.deepEqual(entries(folder), []);
  });

  it('is refused when a checkpoint is trained on, too', async () => {
    const folder = temporaryFolder();
    const settings = { ...defaultTrainSettings, steps: 2, warmup: 0 };
    const request = {
      ...{ checkpoint: example('gpt2-kjv'), data: bible, settings, seed: 0 },
      out: join(folder, 'out'),
    };
    await failure(train(onCardWith(1_000_000).context, request), UserError, /RTX 4070 has 1 MB/);
    assert.deepEqual(entries(folder), []);
  });

  it('is refused when methods are compared, before any of them', async () => {
    const folder = temporaryFolder();
    const { context, types } = onCardWith(1_000_000);
    const request: CompareRequest = {
      ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, data: bible },
      ...{ methods: ['stack'], seeds: [0], growthSteps: 2, evaluateEvery: 2 },
      training: { ...defaultTrainSettings, steps: 2, warmup: 0 },
      out: join(folder, 'out'),
    };
    await failure(compare(context, request), UserError, /RTX 4070 has 1 MB/);
    assert.ok(!types().includes('comparisonRun'));
    assert.deepEqual(entries(folder), []);
  });

  it('is not refused when it fits', async () => {
    const { context, types } = onCardWith(1e9);
    await grow(context, growth(join(temporaryFolder(), 'out')));
    assert.equal(types().at(-1), 'done');
  });
});

it('memory that is just enough is enough', () => {
  requireMemory(1000, { bytes: 1000, of: 'main memory' });
  assert.throws(() => requireMemory(1001, { bytes: 1000, of: 'main memory' }), UserError);
});
