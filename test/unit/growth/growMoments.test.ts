import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainWeights, type Architecture, type Parameter } from '../../../src/architecture';
import * as g from '../../../src/graph';
import {
  copiesOf,
  growMoments,
  growthMethod,
  smallInputName,
  sourcesOf,
  type Copies,
  type Growth,
  type GrowthMethodName,
  type SmallValues,
} from '../../../src/growth';
import { objectiveGraph } from '../../../src/training';
import {
  randomSmall,
  smallModels,
  smallSizes,
  targets,
  tinyBatch,
  tinyGrowth,
} from '../../support/tinyGrowth';
import { madeBy, smallLayer, smallParameters, type Values } from './methods/support';

/** Gradients of a model's loss by parameter, of those that the objective reads. */
function gradientsOf(architecture: Architecture, values: Values): Values {
  const used = architecture.parameters.filter(parameter => parameter.used);
  const inputs = new Map(used.map(({ id, shape }) => [id, g.input(id, shape)]));
  const batch = tinyBatch(architecture);
  const weights = plainWeights(id => inputs.get(id));
  const { loss } = objectiveGraph(architecture, weights, batch.feeds);
  const results = g.simplify(g.gradients(loss, [...inputs.values()]));
  const found = g.evaluate(results, { ...values, ...batch.values });
  return Object.fromEntries(used.map(({ id }, index) => [id, Float32Array.from(found[index]!)]));
}

/** Parameters of the small model as growth reads them; zeros for those without a value. */
function stacked(growth: Growth, values: Values): SmallValues {
  const stacks: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    stacks[smallInputName(parameter)] ??= Float32Array.from(
      sourcesOf(growth, parameter).flatMap(({ id, shape }) => [
        ...(values[id] ?? new Float32Array(g.elementCount(shape))),
      ]),
    );
  }
  return stacks;
}

const madeOf = (name: GrowthMethodName, growth: Growth): Copies => copiesOf(name, growth, 0)!;

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** Twice as wide; units that are fed forward are not repeated equally often by net2net. */
const sizes = {
  net2net: { hiddenSize: 16, numAttentionHeads: 4, intermediateSize: 29 },
  hypercloning: { hiddenSize: 16, numAttentionHeads: 4, intermediateSize: 24 },
} as const;

for (const [name, wide] of Object.entries(sizes)) {
  const method = name as keyof typeof sizes;
  describe(`the moments of a model that ${method} made wider`, () => {
    for (const model of smallModels) {
      const growth = tinyGrowth(model, { ...smallSizes, ...wide });
      const refused = growthMethod(method).refusals?.(growth) ?? [];
      it(`are the gradients of the wide ${model}`, { skip: refused[0]?.reason ?? false }, () => {
        const small = randomSmall(growth, 1);
        const before = gradientsOf(growth.source, smallParameters(growth, small));
        const after = gradientsOf(growth.target, madeBy(method, growth, small));
        const stacks = stacked(growth, before);
        const grown = growMoments(growth, madeOf(method, growth), stacks, 'exp_avg');
        const largest = Math.max(...Object.values(after).map(norm));
        for (const parameter of growth.target.parameters.filter(({ used }) => used)) {
          requireClose(grown(parameter), after[parameter.id]!, largest, parameter.id);
        }
      });
    }
  });
}

/** ‖a − b‖ against ‖b‖ and a hundredth of the largest gradient, below which rounding decides. */
function requireClose(found: Float32Array, expected: Float32Array, largest: number, id: string) {
  const error = norm(found.map((value, index) => value - expected[index]!));
  assert.ok(error <= 1e-4 * (norm(expected) + 0.01 * largest), `${id}: ${error}`);
}

describe('the moments of a model that net2net made deeper', () => {
  for (const model of smallModels) {
    it(`are the gradients of a ${model}'s own layers, and none of those that pass their input on`, () => {
      const growth = tinyGrowth(model, { ...smallSizes, numHiddenLayers: 4 });
      const small = randomSmall(growth, 1);
      const before = gradientsOf(growth.source, smallParameters(growth, small));
      const after = gradientsOf(growth.target, madeBy('net2net', growth, small));
      const copies = madeOf('net2net', growth);
      const grown = growMoments(growth, copies, stacked(growth, before), 'exp_avg');
      const largest = Math.max(...Object.values(after).map(norm));
      const seen = { kept: 0, begun: 0 };
      for (const parameter of growth.target.parameters.filter(({ used }) => used)) {
        const found = grown(parameter);
        const origin = parameter.layer === undefined || layerOf(copies, parameter);
        if (typeof origin === 'string') {
          assert.equal(norm(found), 0, parameter.id);
          seen.begun += 1;
        } else {
          requireClose(found, after[parameter.id]!, largest, parameter.id);
          seen.kept += 1;
        }
      }
      assert.ok(seen.kept > 0 && seen.begun > 0);
    });
  }
});

const layerOf = ({ layersOfGradients }: Copies, parameter: Parameter) =>
  layersOfGradients!(parameter.layer!, parameter);

describe('moments of copies', () => {
  it('have squares that are those of the shares', () => {
    for (const name of ['stack', 'interpolate', 'net2net', 'bert2bert', 'copy'] as const) {
      const growth = tinyGrowth('gpt2', targets['in both']);
      const means = randomSmall(growth, 2);
      const squares = Object.fromEntries(
        Object.entries(means).map(([input, values]) => [input, values.map(value => value ** 2)]),
      );
      const copies = madeOf(name, growth);
      const first = growMoments(growth, copies, means, 'exp_avg');
      const second = growMoments(growth, copies, squares, 'exp_avg_sq');
      for (const parameter of growth.target.parameters) {
        const expected = first(parameter).map(value => value ** 2);
        requireClose(second(parameter), expected, 0, `${name}: ${parameter.id}`);
      }
    }
  });

  it('begin at zero around a block that copy puts in', () => {
    const growth = tinyGrowth('bert', targets['in both']);
    const small = randomSmall(growth, 3);
    const grown = growMoments(growth, madeOf('copy', growth), small, 'exp_avg');
    const parameter = growth.target.parameters.find(({ id }) => id === 'layers.1.fc1.weight')!;
    const block = smallLayer(growth, small, parameter.id, 1);
    const [rows, columns] = parameter.shape as readonly [number, number];
    const { intermediateSize, hiddenSize } = growth.source.dimensions;
    const found = grown(parameter);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const isOld = row < intermediateSize && column < hiddenSize;
        const expected = isOld ? block[row * hiddenSize + column] : 0;
        assert.equal(found[row * columns + column], expected, `${row}, ${column}`);
      }
    }
    const onTop = growth.target.parameters.filter(({ layer }) => layer === 2);
    assert.ok(onTop.length > 0 && onTop.every(each => norm(grown(each)) === 0));
  });
});
