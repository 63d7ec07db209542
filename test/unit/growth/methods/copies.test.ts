import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dimensions } from '../../../../src/architecture';
import {
  copyOperators,
  growthMethod,
  growthMethods,
  operatorsIn,
  operatorsOf,
  randomParameter,
  axisSizes,
  type Growth,
  type GrowthMethodName,
} from '../../../../src/growth';
import {
  randomSmall,
  smallModels,
  smallSizes,
  targets,
  tinyGrowth,
} from '../../../support/tinyGrowth';
import { doubled, madeBy, smallLayer, smallParameters, type Values } from './support';

const four: Dimensions = { ...smallSizes, numHiddenLayers: 4 };

/** Which of the small layers a large layer is, by all of its parameters; undefined when none. */
function layerFound(growth: Growth, small: Values, grown: Values, layer: number) {
  const ids = growth.target.parameters.filter(entry => entry.layer === layer).map(({ id }) => id);
  const count = growth.source.dimensions.numHiddenLayers;
  return Array.from({ length: count }, (_, index) => index).find(index =>
    ids.every(id => {
      const expected = smallLayer(growth, small, id, index);
      return grown[id]!.every((value, at) => value === expected[at]);
    }),
  );
}

const order = (method: GrowthMethodName, model: (typeof smallModels)[number], layers: number) => {
  const source = { ...smallSizes, numHiddenLayers: 4 };
  const growth = tinyGrowth(model, { ...source, numHiddenLayers: layers }, source);
  const small = randomSmall(growth, 3);
  const grown = madeBy(method, growth, small);
  return Array.from({ length: layers }, (_, layer) => layerFound(growth, small, grown, layer));
};

describe('where layers come from', () => {
  for (const [method, expected] of [
    ['stack', [0, 1, 2, 3, 0, 1, 2]],
    ['interpolate', [0, 0, 1, 1, 2, 2, 3]],
    ['mslt', [0, 1, 2, 3, 1, 2, 3]],
    ['bert2bert', [0, 1, 2, 3, 1, 2, 3]],
    ['copy', [0, 1, 2, 3, undefined, undefined, undefined]],
  ] as const) {
    it(`is as published for ${method}: ${expected.map(layer => layer ?? 'random').join(' ')}`, () => {
      for (const model of smallModels) assert.deepEqual(order(method, model, 7), expected, model);
    });
  }

  it('is the whole stack twice and then its top for bert2bert', () => {
    assert.deepEqual(order('bert2bert', 'gpt2', 9), [0, 1, 2, 3, 0, 1, 2, 3, 3]);
  });

  it('is the small model with silent copies at the end of each group for llama-pro', () => {
    const source = { ...smallSizes, numHiddenLayers: 4 };
    const growth = tinyGrowth('gpt2', { ...source, numHiddenLayers: 6 }, source);
    const small = randomSmall(growth, 3);
    const grown = madeBy('llama-pro', growth, small);
    const old = [0, 1, 3, 4].map(layer => layerFound(growth, small, grown, layer));
    assert.deepEqual(old, [0, 1, 2, 3]);
    for (const [layer, origin] of [
      [2, 1],
      [5, 3],
    ] as const) {
      for (const { id, kind } of growth.target.parameters.filter(entry => entry.layer === layer)) {
        const expected = smallLayer(growth, small, id, origin);
        const silent = kind === 'o' || kind === 'fc2';
        assert.ok(
          grown[id]!.every((value, at) => value === (silent ? 0 : expected[at])),
          id,
        );
      }
    }
  });
});

describe('units that are copied', () => {
  const headOf = (values: Float32Array, head: number): string =>
    values.subarray(head * 4, head * 4 + 4).join();

  it('come after the old ones, in whole heads, the same in query, key and value', () => {
    for (const method of ['stack', 'interpolate', 'mslt', 'net2net'] as const) {
      const growth = tinyGrowth('bert', {
        ...doubled,
        hiddenSize: 20,
        numAttentionHeads: 5,
        numHiddenLayers: 3,
      });
      const small = randomSmall(growth, 5);
      const [grown, old] = [madeBy(method, growth, small, 6), smallParameters(growth, small)];
      const heads = [0, 1, 2, 3, 4].map(head =>
        ['q', 'k', 'v'].map(kind => {
          const known = [0, 1].map(index => headOf(old[`layers.0.${kind}.bias`]!, index));
          return known.indexOf(headOf(grown[`layers.0.${kind}.bias`]!, head));
        }),
      );
      for (const found of heads) assert.ok(found[0]! >= 0 && new Set(found).size === 1, method);
      assert.deepEqual(heads.slice(0, 2).flat(), [0, 0, 0, 1, 1, 1]);
    }
  });

  it('are divided by their number where they are read', () => {
    const growth = tinyGrowth('bert', { ...smallSizes, intermediateSize: 31 });
    const small = randomSmall(growth, 7);
    const [grown, old] = [madeBy('net2net', growth, small, 8), smallParameters(growth, small)];
    const units = Array.from(old['layers.0.fc1.bias']!);
    const from = Array.from(grown['layers.0.fc1.bias']!, bias => units.indexOf(bias));
    assert.deepEqual(
      from.slice(0, 12),
      Array.from(units, (_, unit) => unit),
    );
    const expected = Array.from({ length: 8 * 31 }, (_, index) => {
      const unit = from[index % 31]!;
      const value = old['layers.0.fc2.weight']![Math.floor(index / 31) * 12 + unit]!;
      return value / from.filter(other => other === unit).length;
    });
    const read = grown['layers.0.fc2.weight']!;
    expected.forEach((value, index) => assert.ok(Math.abs(value - read[index]!) < 1e-7));
  });

  it('are drawn evenly: none twice more often than another', () => {
    for (const seed of [1, 2, 3]) {
      const growth = tinyGrowth('bert', { ...smallSizes, intermediateSize: 31 });
      const small = randomSmall(growth, 7);
      const grown = madeBy('net2net', growth, small, seed)['layers.0.fc1.bias']!;
      const counts = Array.from(
        smallParameters(growth, small)['layers.0.fc1.bias']!,
        bias => grown.filter(value => value === bias).length,
      );
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        31,
      );
      assert.ok(
        counts.every(count => count === 2 || count === 3),
        counts.join(),
      );
    }
  });
});

describe('bert2bert', () => {
  it('takes new outputs from the layer above, and its last layer from itself', () => {
    for (const model of smallModels) {
      const growth = tinyGrowth(model, { ...smallSizes, intermediateSize: 24 });
      const small = randomSmall(growth, 9);
      const grown = madeBy('bert2bert', growth, small, 1);
      for (const [layer, above] of [
        [0, 1],
        [1, 1],
      ] as const) {
        const id = `layers.${layer}.fc1.weight`;
        const [own, next] = [
          smallLayer(growth, small, id, layer),
          smallLayer(growth, small, id, above),
        ];
        assert.deepEqual(grown[id]!.slice(0, 12 * 8), own.slice(), `${model} ${id}`);
        // Twice the units: each one of the layer above, once, in whatever order.
        assert.deepEqual(grown[id]!.slice(12 * 8).sort(), next.slice().sort(), `${model} ${id}`);
      }
    }
  });

  it('takes whole rows of the layer above, read as its own layer reads', () => {
    const growth = tinyGrowth('gpt2', { ...smallSizes, intermediateSize: 24 });
    const small = randomSmall(growth, 9);
    const grown = madeBy('bert2bert', growth, small, 1);
    const rowsOf = (values: Float32Array, from: number): string[] =>
      Array.from({ length: 12 }, (_, row) =>
        values.subarray((from + row) * 8, (from + row + 1) * 8).join(),
      );
    const id = 'layers.0.fc1.weight';
    assert.deepEqual(rowsOf(grown[id]!, 0), rowsOf(smallLayer(growth, small, id, 0), 0));
    assert.deepEqual(
      rowsOf(grown[id]!, 12).sort(),
      rowsOf(smallLayer(growth, small, id, 1), 0).sort(),
    );
  });
});

describe('copy', () => {
  it('holds the small model unchanged and is from scratch everywhere else', () => {
    for (const model of smallModels) {
      const growth = tinyGrowth(model, targets['in both']);
      const small = randomSmall(growth, 4);
      const grown = madeBy('copy', growth, small, 5);
      for (const parameter of growth.target.parameters) {
        const { id, layer = 0, shape, spaces } = parameter;
        const scratch = randomParameter(growth.target, parameter, 5);
        const [rows, columns = 1] = spaces.map(space => axisSizes(growth, space).small);
        const width = shape[1] ?? 1;
        const old =
          layer < 2 ? smallLayer(growth, small, id, parameter.kind ? layer : 0) : undefined;
        grown[id]!.forEach((value, index) => {
          const [row, column] = [Math.floor(index / width), index % width];
          const inside = old !== undefined && row < rows! && column < columns;
          const expected = inside ? old[row * columns + column] : scratch[index];
          assert.equal(value, expected, `${model} ${id} [${row}, ${column}]`);
        });
      }
    }
  });
});

describe('lemon', () => {
  it('splits what is read of copies unevenly, so that they learn different things', () => {
    const growth = tinyGrowth('gpt2', doubled);
    const small = randomSmall(growth, 2);
    const grown = madeBy('lemon', growth, small, 3)['layers.0.q.weight']!;
    const old = smallLayer(growth, small, 'layers.0.q.weight', 0);
    for (let unit = 0; unit < 8; unit++) {
      const [first, second] = [grown[unit]! / old[unit]!, grown[unit + 8]! / old[unit]!];
      assert.ok(Math.abs(first + second - 1) < 1e-6);
      assert.ok(first > 0.2 && first < 0.8 && Math.abs(first - second) > 1e-4, `${first}`);
    }
  });
});

/** A growth that a method can make. */
const targetOf = (name: string): Dimensions =>
  name === 'llama-pro'
    ? four
    : {
        ...doubled,
        numHiddenLayers: 4,
        ...(name === 'hypercloning' && { intermediateSize: 2 * smallSizes.intermediateSize }),
      };

describe('every method that learns nothing', () => {
  const unlearned = growthMethods.filter(({ making }) => making.kind !== 'learned');

  for (const { name } of unlearned) {
    it(`${name} gives the same bytes for the same seed, and parameters of the right size`, () => {
      for (const model of smallModels) {
        const growth = tinyGrowth(model, targetOf(name));
        assert.deepEqual(growthMethod(name).refusals?.(growth) ?? [], []);
        const small = randomSmall(growth, 1);
        const [once, again] = [madeBy(name, growth, small, 2), madeBy(name, growth, small, 2)];
        assert.deepEqual(again, once);
        for (const { id, shape } of growth.target.parameters) {
          assert.equal(
            once[id]!.length,
            shape.reduce((a, b) => a * b, 1),
            id,
          );
          assert.ok(once[id]!.every(Number.isFinite), id);
        }
      }
    });
  }

  it('gives other weights for another seed wherever it draws', () => {
    const drawing = unlearned.filter(({ name }) => !/^(llama-pro|hypercloning)$/.test(name));
    for (const { name } of drawing) {
      const growth = tinyGrowth('gpt2', { ...doubled, numHiddenLayers: 4 });
      const small = randomSmall(growth, 1);
      const [one, other] = [madeBy(name, growth, small, 1), madeBy(name, growth, small, 2)];
      assert.notDeepEqual(one['layers.0.fc2.weight'], other['layers.0.fc2.weight'], name);
    }
  });

  it('names all of LiGO’s operators and only operators that a file of them may hold', () => {
    for (const { name, making } of unlearned) {
      if (making.kind !== 'copies') continue;
      const growth = tinyGrowth('bert', targetOf(name));
      const values = copyOperators(growth, making.copies(growth, 1));
      const shapes = new Map(operatorsIn(growth, values).map(entry => [entry.name, entry.shape]));
      assert.deepEqual([...shapes.keys()].sort(), Object.keys(values).sort(), name);
      for (const operator of operatorsOf(growth))
        assert.ok(shapes.has(operator.name), operator.name);
      for (const [operator, [rows, columns]] of shapes) {
        assert.equal(values[operator]!.length, rows * columns, `${name} ${operator}`);
      }
    }
  });
});
