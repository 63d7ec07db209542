import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sourceValues } from '../../../src/growth';
import { compare } from '../../../src/run/compare/compare';
import type { RunContext } from '../../../src/run/context';
import type { DataOptions } from '../../../src/run/open/openData';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow } from '../../../src/run/grow/grow';
import { openModel, readSmallValues } from '../../../src/run/open/model';
import { requireGrowth, resolveTarget } from '../../../src/run/plan/plan';
import {
  lengthWarning,
  positionLosses,
  warningOfLength,
} from '../../../src/run/score/positionLosses';
import { plainModel } from '../../../src/run/score/scoring';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import { clothes, recorded, shortSettings, temporaryFolder } from './support';
import { withData, withEngine, withModel } from '../../support/opened';
import { remedyText } from '../../support/remedyText';

const scripture = (sequenceLength: number, evaluationBatches = 8): DataOptions => ({
  ...{ data: example('kjv.txt'), sequenceLength, evaluationBatches, batchSize: 16 },
  ...{ separator: 'newline', seed: 0 },
});

/** What is told of an example's checkpoint on data. */
function judged(name: string, options: DataOptions) {
  const { context } = recorded();
  return withModel(example(name), async model => {
    const growth = requireGrowth(model, await resolveTarget(model, { layers: 4 }));
    const values = sourceValues(growth, await readSmallValues(model, growth));
    const scored = plainModel(growth.source, values, 'source');
    return withEngine(context, engine =>
      withData(engine, model, options, data =>
        warningOfLength(engine, scored, data, context.signal),
      ),
    );
  });
}

// Both were trained on sequences of 64 tokens, though their configs have 128 positions.
describe('a model past the length that it was trained with', () => {
  for (const name of ['gpt2-kjv', 'bert-kjv']) {
    it(`is found out: ${name} at 128 tokens`, async () => {
      const warning = await judged(name, scripture(128));
      assert.match(warning?.message ?? '', /predicts worse from position 64 of a sequence on/);
      assert.match(remedyText(warning!.remedy), /\(--sequence-length 64\)\.$/);
    });

    for (const length of [64, 32]) {
      it(`is not suspected where it is not: ${name} at ${length} tokens`, async () => {
        assert.equal(await judged(name, scripture(length)), undefined);
      });
    }
  }

  it('is found out where little goes past it, with a length that is within it', async () => {
    const { message } = (await judged('gpt2-kjv', scripture(80)))!;
    assert.match(message, /from position 60 /);
  });

  it('is not suspected on few targets', async () => {
    assert.equal(await judged('gpt2-kjv', { ...scripture(128, 1), batchSize: 1 }), undefined);
  });

  it('is no matter of images', async () => {
    assert.equal(await judged('vit-fmnist', clothes), undefined);
  });

  it('is told before a growth, in its receipt, and before a comparison, in its report', async () => {
    const target = { layers: 4 };
    const own = { checkpoint: example('gpt2-kjv'), target, data: scripture(128) };
    const growing = recorded();
    const receipt = await grow(growing.context, {
      ...{ ...own, out: join(temporaryFolder(), 'out'), seed: 0 },
      ...{ method: 'stack', settings: shortSettings(1) },
    });
    assert.ok(receipt.warnings.some(warning => /from position 64 /.test(warning)));
    const comparing = recorded();
    const report = await compare(comparing.context, {
      ...{ ...own, out: join(temporaryFolder(), 'out'), methods: [], seeds: [0] },
      ...{ training: { ...defaultTrainSettings, steps: 1, warmup: 0 }, evaluateEvery: 1 },
      growthSteps: 1,
    });
    assert.match(report.notes[0]!.message, /from position 64 /);
    for (const { events } of [growing, comparing]) {
      const told = events.findIndex(
        event => event.type === 'warning' && /from position 64 /.test(event.message),
      );
      const began = events.findIndex(({ type }) => /^(evaluation|comparisonRun)$/.test(type));
      assert.ok(told >= 0 && told < began, `${told} before ${began}`);
      const again = events.slice(told + 1).filter(event => event.type === 'warning');
      assert.ok(!again.some(event => event.type === 'warning' && /position/.test(event.message)));
    }
  });
});

describe('a checkpoint past the length that it was trained with', () => {
  const checkpoint = example('gpt2-kjv');
  const data = scripture(128, 2);

  /** Types of the events of a job, and what it warned of. */
  async function toldBy(job: (context: RunContext) => Promise<unknown>) {
    const { context, events } = recorded();
    await job(context);
    const warnings = events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
    return { types: events.map(({ type }) => type), warnings };
  }

  const trained = (fromScratch: boolean) => (context: RunContext) =>
    train(context, {
      ...{ checkpoint, data, fromScratch, seed: 0, out: join(temporaryFolder(), 'out') },
      settings: { ...defaultTrainSettings, steps: 1, warmup: 0 },
    });

  it('is told before it is evaluated', async () => {
    const { types, warnings } = await toldBy(context =>
      evaluateCheckpoint(context, { checkpoint, data }),
    );
    assert.match(warnings.join('\n'), /^The checkpoint predicts worse from position 64 [^\n]*$/);
    assert.ok(types.indexOf('warning') < types.indexOf('evaluation'));
  });

  it('is told before it is trained on, but not when it lends its sizes alone', async () => {
    const { types, warnings } = await toldBy(trained(false));
    assert.match(warnings.join('\n'), /^The checkpoint predicts worse from position 64 [^\n]*$/);
    assert.ok(types.indexOf('warning') < types.indexOf('evaluation'));
    assert.deepEqual((await toldBy(trained(true))).warnings, []);
  });
});

describe('losses by position', () => {
  it('count every target once', async () => {
    const { context } = recorded();
    const model = await openModel(example('gpt2-kjv'));
    try {
      const growth = requireGrowth(model, await resolveTarget(model, { layers: 4 }));
      const values = sourceValues(growth, await readSmallValues(model, growth));
      const scored = plainModel(growth.source, values, 'source');
      const parts = await withEngine(context, engine =>
        withData(engine, model, scripture(64, 2), data =>
          positionLosses(engine, scored, data, context.signal),
        ),
      );
      assert.deepEqual(
        parts.map(({ from }) => from),
        [0, 8, 16, 24, 32, 40, 48, 56],
      );
      // The last token of a sequence has no successor to predict.
      assert.deepEqual(
        parts.map(({ targets }) => targets),
        [...Array.from({ length: 7 }, () => 2 * 16 * 8), 2 * 16 * 7],
      );
    } finally {
      await model.checkpoint.close();
    }
  });

  const parts = (...means: number[]) =>
    means.map((mean, index) => ({ from: 8 * index, targets: 500, mean, standardError: 0.05 }));

  it('may rise by little, or for a while', () => {
    assert.equal(lengthWarning(parts(3, 3, 3, 3, 3.2, 3.2, 3.2, 3.2)), undefined);
    assert.equal(lengthWarning(parts(3, 3, 3, 5, 5, 3, 3, 3)), undefined);
  });

  it('are told from where they rise to the end', () => {
    assert.match(
      remedyText(lengthWarning(parts(4, 3, 3, 3, 3, 3, 3, 5))?.remedy ?? ''),
      /at most 56 tokens/,
    );
    assert.match(
      remedyText(lengthWarning(parts(3, 5, 6, 5, 6, 5, 6, 7))?.remedy ?? ''),
      /at most 8 tokens/,
    );
  });

  it('are not told when they may be chance', () => {
    const unsure = parts(3, 3, 3, 3, 4, 4, 4, 4).map(part => ({ ...part, standardError: 0.3 }));
    assert.equal(lengthWarning(unsure), undefined);
  });
});
