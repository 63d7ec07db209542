import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scoredBytes, scoringFlops } from '../../../src/run/plan/scoringCost';
import { processBytes } from '../../../src/run/plan/processMemory';
import { batchShape } from '../../../src/run/open/data';
import { requireGrowth } from '../../../src/run/plan/plan';
import { example } from '../../support/fixtures';
import { withModel } from '../../support/opened';

describe('scoring a grown model', () => {
  it('is counted as one run of the small model and two of the large one', () =>
    withModel(example('gpt2-kjv'), model => {
      const { dimensions } = model.architecture;
      const same = requireGrowth(model, { dimensions, refusals: [], notes: [] });
      const deeper = { ...dimensions, numHiddenLayers: 2 * dimensions.numHiddenLayers };
      const growth = requireGrowth(model, { dimensions: deeper, refusals: [], notes: [] });
      const shape = batchShape(model.architecture, { batchSize: 2, sequenceLength: 32 });
      const small = scoringFlops(same, shape) / 3;
      const tokens = 2 * 32;
      const { parameters } = model.architecture;
      const inLayers = parameters.filter(({ kind }) => kind !== undefined);
      const products = (some: typeof parameters): number =>
        some
          .filter(({ shape: own }) => own.length === 2)
          .reduce((sum, { shape: own }) => sum + 2 * tokens * own[0]! * own[1]!, 0);
      assert.ok(small > products(inLayers));
      const added = scoringFlops(growth, shape) - 3 * small;
      assert.ok(added > 2 * products(inLayers) && added < 3 * products(inLayers), `${added}`);
    }));

  it('takes the weights of both models and the state of learning, which may be more than a step does', () =>
    withModel(example('gpt2-kjv'), model => {
      const { dimensions, parameters } = model.architecture;
      const growth = requireGrowth(model, { dimensions, refusals: [], notes: [] });
      const weights = parameters.reduce(
        (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1),
        0,
      );
      assert.equal(scoredBytes(growth, 300), 2 * weights + 300);
      const step = { peakBytes: 3e9, frozenBytes: 1e9, stateBytes: 1e9 };
      const inStep = processBytes('cpu', step);
      assert.equal(processBytes('cpu', { ...step, scoredBytes: 2e9 }), inStep);
      assert.equal(processBytes('cpu', { ...step, scoredBytes: 6e9 }), 280e6 + 6e9);
    }));
});
