import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openWebGpu } from '../../src/engine';
import { UserError } from '../../src/errors';
import { learningLosses } from '../support/learningLosses';
import { smallModels } from '../support/tinyGrowth';
import { remedyText } from '../support/remedyText';

// SwiftShader has no float16; llvmpipe (Mesa 25) and graphics cards have.
const plain = await openWebGpu();
const mixed = await openWebGpu({ precision: 'mixed' }).catch((error: unknown) => error);
const refusal = mixed instanceof UserError ? mixed : undefined;
if (mixed instanceof Error && !refusal) throw mixed;
after(() => plain.dispose());

describe('mixed precision on WebGPU', () => {
  it('is refused where the adapter has no float16', { skip: !refusal }, () => {
    assert.match(refusal!.message, /^The graphics adapter has no float16/);
    assert.match(remedyText(refusal!.remedy), /--precision float32/);
  });

  for (const model of smallModels) {
    it(
      `${model} has losses within 1 % of float32 over 20 steps, and not the same`,
      { skip: refusal?.message ?? false },
      async () => {
        const expected = await learningLosses(plain, model, 20);
        const losses = await learningLosses(mixed as typeof plain, model, 20);
        losses.forEach((loss, step) => {
          const error = Math.abs(loss - expected[step]!) / expected[step]!;
          assert.ok(error < 1e-2, `step ${step + 1}: ${loss} against ${expected[step]}`);
        });
        assert.notDeepEqual(losses, expected);
      },
    );
  }
});
