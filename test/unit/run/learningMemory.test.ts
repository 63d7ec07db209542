import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openModel } from '../../../src/run/open/model';
import { batchShape } from '../../../src/run/open/data';
import { learningRefusal } from '../../../src/run/plan/learningMemory';
import { learningCost, planGrowth, requireGrowth, resolveTarget } from '../../../src/run/plan/plan';
import { processBytes } from '../../../src/run/plan/processMemory';
import { defaultLigoSettings } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { remedyText } from '../../support/remedyText';
import { editor } from '../../../src/remedy/editor';
import { inWords } from '../../../src/remedy/remedy';

const settings = { ...defaultLigoSettings, steps: 10, warmup: 1 };

async function growthOf(batch = { batchSize: 16, sequenceLength: 64 }) {
  const model = await openModel(example('gpt2-kjv'));
  await model.checkpoint.close();
  const target = await resolveTarget(model, { layers: 6, hidden: 128 });
  const growth = requireGrowth(model, target);
  return { model, target, growth, shape: batchShape(model.architecture, batch) };
}

describe('what a process takes', () => {
  // Measured by test/bench/sizes.ts, ONNX Runtime on the CPU: GPT-2's shapes with batches of 4 × 128, then those
  // of GPT-2, BERT, SmolLM2 and Qwen2.5 with batches of 1 × 128.
  const measured = [
    { frozenBytes: 121e6, stateBytes: 135e6, peakBytes: 848e6, took: 1.3e9 },
    { frozenBytes: 205e6, stateBytes: 180e6, peakBytes: 1.14e9, took: 1.64e9 },
    { frozenBytes: 497e6, stateBytes: 1.078e9, peakBytes: 3.71e9, took: 4.64e9 },
    { frozenBytes: 497e6, stateBytes: 1.078e9, peakBytes: 2.67e9, took: 3.72e9 },
    { frozenBytes: 436e6, stateBytes: 1.078e9, peakBytes: 2.61e9, took: 3.59e9 },
    { frozenBytes: 538e6, stateBytes: 0.62e9, peakBytes: 2.15e9, took: 3.06e9 },
    { frozenBytes: 1.976e9, stateBytes: 2.92e9, peakBytes: 8.22e9, took: 10.6e9 },
  ];

  it('is told within a fifth of what was measured at seven sizes', () => {
    for (const { took, ...cost } of measured) {
      const ratio = processBytes('cpu', cost) / took;
      assert.ok(ratio > 0.8 && ratio < 1.2, `${ratio} of ${took}`);
    }
  });
});

describe('a growth that does not fit the memory', () => {
  const memory = (bytes: number) => ({ bytes, of: 'main memory', isMain: true });

  it('is told the cheapest option that makes it fit, with its number', async () => {
    const { growth, shape } = await growthOf();
    const cost = learningCost(growth, settings, shape);
    const least = processBytes(
      'cpu',
      learningCost(growth, { ...settings, recompute: true }, shape),
    );
    const refusal = learningRefusal(growth, settings, shape, {
      ...{ engine: 'cpu', memory: memory(least), cost },
    });
    assert.match(refusal!.message, /^The run takes about \d+ MB of memory, and main memory has/);
    assert.match(
      remedyText(refusal!.remedy),
      /^Give --recompute: it brings that to about \d+ MB\.$/,
    );
    assert.match(
      inWords(refusal!.remedy, editor),
      /^Under More…, set Recompute Activations: it brings/,
    );
  });

  it('is told several options where one is not enough', async () => {
    const { growth, shape } = await growthOf();
    const cost = learningCost(growth, settings, shape);
    const all = { ...settings, recompute: true, mapping: 'shared-ffn' as const };
    const least = processBytes('cpu', learningCost(growth, all, { ...shape, batchSize: 1 }));
    const refusal = learningRefusal(growth, settings, shape, {
      ...{ engine: 'cpu', memory: memory(1.01 * least), cost },
    });
    assert.match(
      remedyText(refusal!.remedy),
      /^Give --recompute, --share-ffn, --accumulate 16 and --batch 1: they bring/,
    );
  });

  it('is told to become smaller where no option helps, and nothing where it fits', async () => {
    const { growth, shape } = await growthOf();
    const cost = learningCost(growth, settings, shape);
    const asked = (bytes: number) =>
      learningRefusal(growth, settings, shape, { engine: 'cpu', memory: memory(bytes), cost });
    assert.match(
      remedyText(asked(1e6)!.remedy),
      /^Lower --batch or --sequence-length, choose a smaller target/,
    );
    assert.equal(asked(processBytes('cpu', cost)), undefined);
  });
});

describe('computing activations twice', () => {
  const recomputed = { ...settings, recompute: true };
  const notes = async (batch: Parameters<typeof growthOf>[0]) => {
    const { model, target, shape } = await growthOf(batch);
    return planGrowth(model, target, recomputed, shape).notes!.map(({ message }) => message);
  };

  it('is said to save nothing where it does not', async () => {
    const [note] = await notes({ batchSize: 1, sequenceLength: 8 });
    assert.match(note!, /^Computing activations twice saves no memory .* takes \d.*, and \d/);
  });

  it('is not spoken of where it saves memory', async () => {
    assert.deepEqual(await notes({ batchSize: 16, sequenceLength: 64 }), []);
  });
});
