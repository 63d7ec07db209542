import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logits } from '../../../src/architecture';
import { evaluate } from '../../../src/graph';
import {
  growParameter,
  grownWeights,
  learnedOperators,
  mappingOf,
  operatorsIn,
  operatorsOf,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../../src/growth';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';
import { randomSmall, smallModels, targets, tinyBatch, tinyGrowth } from '../../support/tinyGrowth';

const shared = (growth: Growth): Record<string, Float32Array> =>
  Object.fromEntries(
    learnedOperators(growth, 'shared-ffn').map(({ name, shape: [rows, columns] }, index) => [
      name,
      uniform(index + 1, rows * columns, -0.6, 0.6),
    ]),
  );

/** LiGO's operators with the shared one in every layer. */
const spelledOut = (growth: Growth, values: OperatorValues): OperatorValues =>
  Object.fromEntries(
    operatorsOf(growth).map(({ name }) => [name, values[name] ?? values['width.ffn']!]),
  );

function scores(growth: Growth, operators: OperatorValues, from: SmallValues): Float64Array {
  const weights = grownWeights(growth, operatorsIn(growth, operators));
  const { feeds, values } = tinyBatch(growth.target);
  const { readout } = growth.target.forward(weights, feeds.forward);
  return evaluate([logits(readout(feeds.positions))], { ...from, ...operators, ...values })[0]!;
}

describe('one feed-forward operator for all layers', () => {
  for (const model of smallModels) {
    it(`makes of ${model} what LiGO makes with the same operator in every layer`, () => {
      const growth = tinyGrowth(model, targets['in both']);
      const [operators, from] = [shared(growth), randomSmall(growth, 2)];
      const ligo = spelledOut(growth, operators);
      assert.equal(Object.keys(ligo).length, Object.keys(operators).length + 2);
      assertClose(scores(growth, operators, from), scores(growth, ligo, from), 1e-12, model);
      for (const parameter of growth.target.parameters) {
        const [own, expected] = [operators, ligo].map(values => {
          const { program, feeds } = growParameter(growth, parameter, values);
          return evaluate([program.outputs['grown']!], feeds(values, from))[0]!;
        });
        assertClose(own!, expected!, 1e-12, parameter.id);
      }
    });
  }

  it('is known by its name, and is no other than LiGO where feed-forward units stay', () => {
    const growth = tinyGrowth('bert', targets['in both']);
    assert.equal(mappingOf(Object.keys(shared(growth))), 'shared-ffn');
    const deeper = tinyGrowth('bert', targets['in depth']);
    assert.deepEqual(learnedOperators(deeper, 'shared-ffn'), operatorsOf(deeper));
  });
});
