import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { onnxRuntimeCpu } from '../../src/engine';
import { testEngine } from '../support/engines';
import { learningLosses } from '../support/learningLosses';
import { smallModels, type SmallModel } from '../support/tinyGrowth';
import { isDecoder } from '../unit/architecture/fixtures';

const engine = await testEngine();
const cpu = onnxRuntimeCpu({ threads: 1 });
after(async () => {
  await engine.dispose();
  await cpu.dispose();
});

/**
 * Heads of two units, as these decoders have, make rounding grow tenfold every other step from the
 * fifteenth on, in float32 anywhere; not so in Granite, whose scores are divided by three, so that it learns slower.
 */
const stepsOf = (model: SmallModel): number => (isDecoder(model) && model !== 'granite' ? 15 : 20);

describe('learning operators on another engine', () => {
  for (const model of smallModels) {
    const steps = stepsOf(model);
    it(`${model} has the losses of the CPU over ${steps} steps`, async () => {
      const expected = await learningLosses(cpu, model, steps);
      const losses = await learningLosses(engine, model, steps);
      assert.equal(losses.length, steps);
      assert.ok(expected.at(-1)! < 0.9 * expected[0]!, `learns: ${expected.join(' ')}`);
      losses.forEach((loss, step) => {
        const error = Math.abs(loss - expected[step]!) / Math.abs(expected[step]!);
        assert.ok(error < 1e-4, `step ${step + 1}: ${loss} against ${expected[step]}`);
      });
    });
  }
});
