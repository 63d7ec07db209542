import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axisSizes, freshPart, freshnessOf, randomParameter } from '../../../src/growth';
import { smallArchitecture, smallModels, targets } from '../../support/tinyGrowth';

const growthOf = (model: (typeof smallModels)[number], target: keyof typeof targets) => ({
  source: smallArchitecture(model),
  target: smallArchitecture(model, targets[target]),
});

describe('the random part of new weights', () => {
  for (const model of smallModels) {
    it(`leaves ${model}’s own block alone and is drawn as from scratch elsewhere`, () => {
      const growth = growthOf(model, 'in both');
      let widened = 0;
      for (const parameter of growth.target.parameters) {
        const part = freshPart(growth, parameter, { factor: 0.5, seed: 3 });
        const [rows, columns] = parameter.spaces.map(space => axisSizes(growth, space));
        if (!columns || !rows || (rows.small === rows.large && columns.small === columns.large)) {
          assert.equal(part, undefined, parameter.id);
          continue;
        }
        widened++;
        const scratch = randomParameter(growth.target, parameter, 3);
        const expected = scratch.slice();
        for (let row = 0; row < rows.large; row++) {
          for (let column = 0; column < columns.large; column++) {
            const index = row * columns.large + column;
            const isOld = row < rows.small && column < columns.small;
            expected[index] = isOld ? 0 : 0.5 * scratch[index]!;
          }
        }
        assert.deepEqual(part, expected, parameter.id);
      }
      assert.ok(widened > 10);
    });
  }

  it('is nothing where only layers are added', () => {
    const deeper = growthOf('gpt2', 'in depth');
    for (const parameter of deeper.target.parameters) {
      assert.equal(freshPart(deeper, parameter, { factor: 1, seed: 0 }), undefined);
    }
  });

  it('is left out of post-norm models unless a factor asks for it', () => {
    const [bert, gpt2] = [growthOf('bert', 'in width'), growthOf('gpt2', 'in width')];
    assert.equal(freshnessOf(bert, 'pre-norm', 5), undefined);
    assert.deepEqual(freshnessOf(gpt2, 'pre-norm', 5), { factor: 1, seed: 5 });
    assert.deepEqual(freshnessOf(bert, 0.5, 5), { factor: 0.5, seed: 5 });
    assert.equal(freshnessOf(gpt2, 0, 5), undefined);
  });
});
