import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dimensions } from '../../../../src/architecture';
import { growthMethod, type GrowthMethodName } from '../../../../src/growth';
import { relativeError } from '../../../support/close';
import { decoderNames } from '../../architecture/fixtures';
import {
  randomSmall,
  smallModels,
  smallSizes,
  targets,
  tinyGrowth,
  type SmallModel,
} from '../../../support/tinyGrowth';
import { doubled, madeBy, scores, smallParameters } from './support';
import { remedyText } from '../../../support/remedyText';

/** Scores of the grown model against the small one's, before any training. */
function deviation(method: GrowthMethodName, model: SmallModel, target: Dimensions): number {
  const growth = tinyGrowth(model, target);
  assert.deepEqual(growthMethod(method).refusals?.(growth) ?? [], []);
  const small = randomSmall(growth, 11);
  const before = scores(growth.source, smallParameters(growth, small));
  return relativeError(scores(growth.target, madeBy(method, growth, small, 12)), before);
}

/** Those whose norms see each head, or none, by itself: they may have any number of heads. */
const preNorm = [
  'gpt2',
  'vit',
  'deit',
  ...decoderNames.filter(family => family !== 'olmo2'),
] as const;
const wholeMultiples: Readonly<Record<string, Dimensions>> = {
  'in depth': targets['in depth'],
  'in its feed-forward size': targets['in its feed-forward size'],
  'to twice its width': doubled,
  'to three times its width': { ...doubled, hiddenSize: 24, numAttentionHeads: 6 },
  'to twice its width and more layers': { ...doubled, numHiddenLayers: 5 },
};

/** A method, and the growths through which it promises to keep the function. */
const promises: readonly {
  readonly method: GrowthMethodName;
  readonly models: readonly SmallModel[];
  readonly targets: Readonly<Record<string, Dimensions>>;
}[] = [
  { method: 'net2net', models: smallModels, targets: wholeMultiples },
  { method: 'lemon', models: smallModels, targets: wholeMultiples },
  {
    method: 'hypercloning',
    models: smallModels,
    targets: {
      'in depth': targets['in depth'],
      'to twice its width': { ...doubled, intermediateSize: 24 },
      'to three times its width and more layers': {
        numHiddenLayers: 4,
        hiddenSize: 24,
        numAttentionHeads: 6,
        intermediateSize: 36,
      },
    },
  },
  {
    method: 'lemon',
    models: preNorm,
    targets: {
      'in width that is no multiple': targets['in width'],
      'in depth and width that is no multiple': targets['in both'],
      'to two and a half times its width': {
        ...doubled,
        hiddenSize: 20,
        numAttentionHeads: 5,
        numHiddenLayers: 3,
      },
    },
  },
  {
    method: 'llama-pro',
    models: smallModels,
    targets: {
      'in depth': targets['in depth'],
      'by one layer': { ...smallSizes, numHiddenLayers: 3 },
    },
  },
  // Stacking, which keeps no function in depth, widens as Net2Net does.
  { method: 'stack', models: smallModels, targets: { 'to twice its width': doubled } },
];

for (const { method, models, targets: growths } of promises) {
  describe(`${method} keeps every score before training`, () => {
    for (const model of models) {
      for (const [how, target] of Object.entries(growths)) {
        // Every other layer of Gemma 2 is of another kind: they come in twos.
        if (model === 'gemma2' && target.numHiddenLayers % 2 !== 0) continue;
        // As wide as its tables, ELECTRA would have no projection.
        if (model === 'electra' && target.hiddenSize === 24) continue;
        it(`of ${model} that grows ${how}`, () => {
          const error = deviation(method, model, target);
          assert.ok(error < 1e-5, `relative error ${error}`);
        });
      }
    }
  });
}

describe('what does not keep the function', () => {
  it('is told apart by the same measure', () => {
    for (const model of smallModels) {
      for (const method of ['stack', 'interpolate', 'mslt', 'bert2bert', 'copy'] as const) {
        // Branches of DINOv2's and CaiT's layers from scratch give next to nothing.
        if (method === 'copy' && /^timm-(vit-registers|cait)$/.test(model)) continue;
        const error = deviation(method, model, { ...smallSizes, numHiddenLayers: 4 });
        assert.ok(error > 1e-4, `${method} of ${model}: ${error}`);
      }
      assert.ok(deviation('net2net', model, targets['in width']) > 1e-4, model);
      assert.ok(deviation('bert2bert', model, doubled) > 1e-3, model);
    }
  });
});

describe('hypercloning', () => {
  it('refuses what is no multiple, by name', () => {
    const reasons = growthMethod('hypercloning').refusals!(
      tinyGrowth('llama', targets['in width']),
    ).map(({ reason }) => reason);
    assert.match(reasons[0]!, /12 hidden units are no multiple of 8/);
    assert.match(reasons[1]!, /20 feed-forward units are no multiple of 12/);
    assert.match(reasons[2]!, /6 attention heads are no multiple of 4/);
    assert.equal(reasons.length, 3);
  });
});

describe('lemon', () => {
  it('refuses other numbers of heads than multiples where all are normalised together', () => {
    const [refusal, ...others] = growthMethod('lemon').refusals!(
      tinyGrowth('olmo2', targets['in width']),
    );
    assert.equal(others.length, 0);
    assert.match(refusal!.reason, /6 heads, which are no multiple of 4/);
    assert.match(remedyText(refusal!.remedy), /8 heads/);
  });

  it('refuses to widen models that normalise sums by anything but whole multiples', () => {
    for (const model of ['bert', 'roberta', 'untied bert'] as const) {
      const [refusal, ...others] = growthMethod('lemon').refusals!(
        tinyGrowth(model, targets['in width']),
      );
      assert.equal(others.length, 0);
      assert.match(refusal!.reason, /12 is no multiple of 8/);
      assert.match(remedyText(refusal!.remedy), /Grow to 16 hidden units/);
    }
  });
});
