import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomParameter } from '../../../src/growth';
import { smallArchitecture, smallModels } from '../../support/tinyGrowth';

const wide = {
  numHiddenLayers: 2,
  hiddenSize: 96,
  numAttentionHeads: 4,
  intermediateSize: 192,
};

describe('a model from scratch', () => {
  for (const model of smallModels) {
    it(`starts ${model} with norms of one, biases of zero and weights of its initializer_range`, () => {
      const architecture = smallArchitecture(model, wide);
      for (const parameter of architecture.parameters) {
        const { id, shape } = parameter;
        const values = randomParameter(architecture, parameter, 1);
        assert.equal(
          values.length,
          shape.reduce((a, b) => a * b, 1),
        );
        if (id.endsWith('.bias')) {
          assert.ok(
            values.every(value => value === 0),
            id,
          );
        } else if (/(norm|ln1|ln2)\.weight$/.test(id)) {
          assert.ok(
            values.every(value => value === 1),
            id,
          );
        } else {
          const count = values.length;
          const mean = values.reduce((sum, value) => sum + value, 0) / count;
          const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
          // GPT-2 divides what each of its 2 · layers residual sums takes in.
          const range = model === 'gpt2' && /\.(o|fc2)\./.test(id) ? 0.02 / Math.sqrt(4) : 0.02;
          // Five standard errors of a normal sample's mean and deviation.
          assert.ok(Math.abs(mean) < (5 * range) / Math.sqrt(count), `${id}: mean ${mean}`);
          const deviation = Math.sqrt(square) / range;
          assert.ok(Math.abs(deviation - 1) < 5 / Math.sqrt(2 * count), `${id}: ${deviation}`);
        }
      }
    });
  }

  it('takes the range from config.json', () => {
    const architecture = smallArchitecture('bert', wide);
    const ranged = { ...architecture, config: { ...architecture.config, initializer_range: 0.5 } };
    const [parameter] = architecture.parameters;
    const [one, other] = [architecture, ranged].map(a => randomParameter(a, parameter!, 1));
    one!.forEach((value, index) => assert.ok(Math.abs(value * 25 - other![index]!) < 1e-6));
  });

  it('is the same for the same seed, and different for another seed or parameter', () => {
    const architecture = smallArchitecture('gpt2', wide);
    const [first, second] = architecture.parameters.filter(({ id }) => id.endsWith('.q.weight'));
    const draw = (parameter: typeof first, seed: number): Float32Array =>
      randomParameter(architecture, parameter!, seed);
    assert.deepEqual(draw(first, 3), draw(first, 3));
    assert.notDeepEqual(draw(first, 3), draw(first, 4));
    assert.notDeepEqual(draw(first, 3), draw(second, 3));
  });
});
