import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  grownWeights,
  growParameter,
  growthMethod,
  initializeOperators,
  operatorsOf,
  type Growth,
  type GrowthMethodName,
} from '../../../src/growth';
import { evaluate } from '../../../src/graph';
import { assertClose, relativeError } from '../../support/close';
import { randomSmall } from '../../support/tinyGrowth';
import { uniform } from '../../support/random';
import { readFixture } from '../architecture/fixtures';
import { madeBy, scores, smallParameters } from './methods/support';

/** ModernBERT at three layers: of the norms before attention, the first is not there. */
function growth(layers: number, times = 1): Growth {
  const { architecture } = readFixture('modernbert').recognition;
  const sizes = {
    numHiddenLayers: 3,
    hiddenSize: 8,
    numAttentionHeads: 2,
    intermediateSize: 12,
  };
  const source = architecture.resized(sizes);
  const target = source.resized({
    numHiddenLayers: layers,
    hiddenSize: 8 * times,
    numAttentionHeads: 2 * times,
    intermediateSize: 12 * times,
  });
  return { source, target };
}

describe('a norm that the first layer does not have', () => {
  it('has an operator over the layers that have it', () => {
    const operators = operatorsOf(growth(6));
    const found = operators.find(({ name }) => name === 'depth.ln1.weight')!;
    assert.deepEqual(found.shape, [5, 2]);
    assert.deepEqual(found.layers, { large: [1, 2, 3, 4, 5], small: [1, 2] });
    assert.deepEqual(operators.find(({ name }) => name === 'depth.ln2.weight')!.shape, [6, 3]);
    // Layer 3 is a copy of layer 0, and takes the next norm there is.
    const start = { depth: 'stackbert', width: 'zero' } as const;
    const values = initializeOperators(operators, start, 1)['depth.ln1.weight']!;
    assert.deepEqual([...values], [1, 0, 0, 1, 1, 0, 1, 0, 0, 1]);
  });

  it('is made of the same layers by what writes checkpoints and what training sees', () => {
    const wide = growth(6, 2);
    const operators = Object.fromEntries(
      operatorsOf(wide).map(({ name, shape: [rows, columns] }, seed) => [
        name,
        uniform(seed + 1, rows * columns, -0.6, 0.6),
      ]),
    );
    const small = randomSmall(wide, 2);
    const weights = grownWeights(wide);
    for (const parameter of wide.target.parameters) {
      const { program, feeds } = growParameter(wide, parameter, operators);
      const [grown] = evaluate([program.outputs['grown']!], feeds(operators, small));
      const [seen] = evaluate([weights.tensor(parameter.id)], { ...operators, ...small });
      assertClose(grown!, seen!, 1e-12, parameter.id);
    }
  });

  for (const method of ['net2net', 'lemon', 'hypercloning'] as const) {
    it(`does not keep ${method} from keeping every score`, () => {
      for (const [layers, times] of [
        [6, 1],
        [3, 2],
        [9, 3],
      ] as const) {
        const grown = growth(layers, times);
        assert.deepEqual(growthMethod(method).refusals?.(grown) ?? [], []);
        const small = randomSmall(grown, 11);
        const before = scores(grown.source, smallParameters(grown, small));
        const error = relativeError(scores(grown.target, madeBy(method, grown, small, 12)), before);
        assert.ok(error < 1e-5, `${layers} layers, ${times} times as wide: ${error}`);
      }
    });
  }

  it('is there in every other layer that any method makes', () => {
    const wide = growth(6, 2);
    const small = randomSmall(wide, 3);
    const methods: GrowthMethodName[] = ['stack', 'interpolate', 'mslt', 'bert2bert', 'copy'];
    for (const method of methods) {
      const grown = madeBy(method, wide, small, 4);
      for (const { id, shape } of wide.target.parameters) {
        assert.equal(
          grown[id]!.length,
          shape.reduce((a, b) => a * b, 1),
          `${method} ${id}`,
        );
        assert.ok(grown[id]!.every(Number.isFinite), `${method} ${id}`);
      }
    }
  });
});
