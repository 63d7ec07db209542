import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  logits,
  plainWeights,
  type Architecture,
  type Dimensions,
} from '../../../src/architecture';
import { evaluate, input, type TensorData } from '../../../src/graph';
import {
  copyParameter,
  smallInputName,
  sourcesOf,
  type Growth,
  type SmallValues,
} from '../../../src/growth';
import { relativeError } from '../../support/close';
import {
  randomSmall,
  smallModels,
  smallSizes,
  targets,
  tinyBatch,
  tinyGrowth,
} from '../../support/tinyGrowth';

const doubledFfn: Dimensions = { ...smallSizes, intermediateSize: 24 };
const doubled: Dimensions = {
  numHiddenLayers: 2,
  hiddenSize: 16,
  numAttentionHeads: 4,
  intermediateSize: 24,
};

const copied = (growth: Growth, small: SmallValues, seed: number): Record<string, Float32Array> =>
  Object.fromEntries(
    growth.target.parameters.map(parameter => [
      parameter.id,
      copyParameter(growth, parameter, small, seed),
    ]),
  );

/** The small model's parameters by id, out of the stacked layers. */
function unstacked(growth: Growth, small: SmallValues): Record<string, Float32Array> {
  const entries = growth.source.parameters.map(parameter => {
    const stack = small[smallInputName(parameter)]!;
    const size = stack.length / (parameter.kind ? sourcesOf(growth, parameter).length : 1);
    const layer = parameter.layer ?? 0;
    return [parameter.id, stack.slice(layer * size, (layer + 1) * size)] as const;
  });
  return Object.fromEntries(entries);
}

function scores(
  architecture: Architecture,
  parameters: Readonly<Record<string, Float32Array>>,
  batch: Readonly<Record<string, TensorData>>,
): Float64Array {
  const inputs = new Map(architecture.parameters.map(({ id, shape }) => [id, input(id, shape)]));
  const { feeds } = tinyBatch(architecture);
  const forward = architecture.forward(
    plainWeights(id => inputs.get(id)),
    feeds.forward,
  );
  return evaluate([logits(forward.readout(feeds.positions))], { ...parameters, ...batch })[0]!;
}

describe('copyParameter', () => {
  for (const model of smallModels) {
    it(`keeps every logit of ${model} when only its feed-forward units are repeated`, () => {
      for (const target of [doubledFfn, { ...smallSizes, intermediateSize: 17 }]) {
        const growth = tinyGrowth(model, target);
        const small = randomSmall(growth, 1);
        const { values } = tinyBatch(growth.source);
        const before = scores(growth.source, unstacked(growth, small), values);
        const after = scores(growth.target, copied(growth, small, 2), values);
        assert.ok(relativeError(after, before) < 1e-6, `${target.intermediateSize} units`);
      }
    });

    it(`repeats the layers of ${model} in order when it only gets deeper`, () => {
      const growth = tinyGrowth(model, targets['in depth']);
      const small = randomSmall(growth, 3);
      const parameters = unstacked(growth, small);
      const grown = copied(growth, small, 4);
      for (const { id, layer, shape } of growth.target.parameters) {
        const source = id.replace(/^layers\.\d+/, `layers.${(layer ?? 0) % 2}`);
        assert.deepEqual(grown[id], parameters[source], id);
        assert.equal(
          grown[id]!.length,
          shape.reduce((a, b) => a * b, 1),
        );
      }
    });
  }

  it('keeps old units where they are and repeats whole heads, the same in query, key and value', () => {
    const growth = tinyGrowth('bert', doubled);
    const small = randomSmall(growth, 5);
    const grown = copied(growth, small, 6);
    const parameters = unstacked(growth, small);
    const headOf = (kind: string, head: number, from: Record<string, Float32Array>): number[] =>
      Array.from(from[`layers.1.${kind}.bias`]!.subarray(head * 4, head * 4 + 4));
    const repeated = [0, 1, 2, 3].map(head =>
      ['q', 'k', 'v'].map(kind => {
        const old = [0, 1].map(candidate => headOf(kind, candidate, parameters).join());
        return old.indexOf(headOf(kind, head, grown).join());
      }),
    );
    for (const heads of repeated) assert.ok(heads[0]! >= 0 && new Set(heads).size === 1);
    assert.deepEqual(repeated.slice(0, 2), [
      [0, 0, 0],
      [1, 1, 1],
    ]);
  });

  it('shares what a repeated unit said among its readers', () => {
    const growth = tinyGrowth('bert', doubledFfn);
    const small = randomSmall(growth, 7);
    const [grown, parameters] = [copied(growth, small, 8), unstacked(growth, small)];
    const units = Array.from(parameters['layers.0.fc1.bias']!);
    const from = Array.from(grown['layers.0.fc1.bias']!, bias => units.indexOf(bias));
    assert.deepEqual(
      from.slice(0, 12),
      Array.from({ length: 12 }, (_, unit) => unit),
    );
    const weight = grown['layers.0.fc2.weight']!;
    const expected = Array.from({ length: 8 * 24 }, (_, index) => {
      const unit = from[index % 24]!;
      const old = parameters['layers.0.fc2.weight']![Math.floor(index / 24) * 12 + unit]!;
      return Math.fround(old / from.filter(other => other === unit).length);
    });
    assert.deepEqual(Array.from(weight), expected);
  });

  it('gives the same bytes for the same seed and others for another', () => {
    const growth = tinyGrowth('gpt2', targets['in both']);
    const small = randomSmall(growth, 9);
    assert.deepEqual(copied(growth, small, 1), copied(growth, small, 1));
    assert.notDeepEqual(
      copied(growth, small, 1)['layers.0.fc1.weight'],
      copied(growth, small, 2)['layers.0.fc1.weight'],
    );
  });
});
