import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  causalMask,
  headSizeOf,
  plainWeights,
  type Architecture,
  type ForwardInputs,
  type PartialLayers,
  type RowSelection,
} from '../../../src/architecture';
import { activation } from '../../../src/architecture/blocks/activations';
import { gatedFeedForward, plainFeedForward } from '../../../src/architecture/blocks/feedForward';
import {
  outputNormLayer,
  parallelLayer,
  postNormLayer,
  preNormLayer,
  sandwichLayer,
  scaledLayer,
} from '../../../src/architecture/blocks/layers';
import { layerNorm, rmsNorm } from '../../../src/architecture/blocks/norms';
import { rotary } from '../../../src/architecture/blocks/positions';
import { ropeOf } from '../../../src/architecture/blocks/rope';
import * as g from '../../../src/graph';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';
import { familyNames, readFixture, sizesFor, type FamilyName } from './fixtures';

const batchSize = 2;
const sizes = { hiddenSize: 8, numAttentionHeads: 2, intermediateSize: 12 };

/** A small model of a family with random weights, and a batch for it. */
function tiny(family: FamilyName) {
  const fixture = readFixture(family).recognition.architecture;
  const architecture = fixture.resized(sizesFor(fixture, { ...sizes, numHiddenLayers: 4 }));
  const used = architecture.parameters.filter(parameter => parameter.used);
  const inputs = new Map(used.map(({ id, shape }) => [id, g.input(id, shape)]));
  const weights = plainWeights(id => inputs.get(id));
  const feeds: Record<string, g.TensorData> = Object.fromEntries(
    used.map(({ id, shape }, seed) => [id, uniform(seed + 1, g.elementCount(shape), -0.5, 0.5)]),
  );
  const { accepts } = architecture;
  const isImage = accepts.kind === 'images';
  const sequenceLength = accepts.kind === 'images' ? accepts.sequenceLength : 6;
  const shape = isImage
    ? [batchSize, accepts.channels, accepts.height, accepts.width]
    : [batchSize * sequenceLength];
  feeds['read'] = isImage
    ? uniform(77, g.elementCount(shape))
    : Int32Array.from({ length: shape[0]! }, (_, token) => (token * 37 + 5) % 320);
  const read = g.input('read', shape, isImage ? 'float32' : 'int32');
  const batch: ForwardInputs = {
    ...{ batchSize, sequenceLength },
    ...(isImage ? { pixelValues: read } : { inputIds: read }),
  };
  return { architecture, inputs, weights, feeds, batch, sequenceLength };
}
type Tiny = ReturnType<typeof tiny>;

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A selection as constants: by sequence, the tokens to compute. */
function selection(length: number, tokens: readonly (readonly number[])[]): RowSelection {
  const computed = tokens.flatMap((own, index) => own.map(token => index * length + token));
  const all = range(tokens.length * length);
  const order = [...computed, ...all.filter(row => !computed.includes(row))];
  const sequences = tokens.filter(own => own.length > 0);
  return {
    order: g.constant(Int32Array.from(order)),
    inverse: g.constant(Int32Array.from(all.map(row => order.indexOf(row)))),
    batchSize: sequences.length,
    sequenceLength: sequences[0]!.length,
  };
}

/** The last hidden state, and the gradient of a sum over it for every parameter, in float64. */
function lastAndGradients({ inputs, feeds }: Tiny, last: g.Tensor): Float64Array[] {
  const factors = g.constant(uniform(99, g.elementCount(last.shape)), last.shape);
  const loss = g.reduceSum(g.mul(last, factors));
  return g.evaluate([last, ...g.gradients(loss, [...inputs.values()])], feeds);
}

const forward = (
  { architecture, weights, batch }: Tiny,
  partial: PartialLayers,
  of: Architecture = architecture,
) => of.forward(weights, { ...batch, partial }).hiddenStates;

/**
 * What a layer computes for every row, kept only where the row is one of its own; tokens that are
 * not computed are masked as keys. `computed` gives the tokens of each sequence in a layer.
 */
function byHand(
  { architecture, weights, batch, sequenceLength }: Tiny,
  computed: readonly (readonly (readonly number[])[])[],
): g.Tensor {
  const { config, family } = architecture;
  const isCausal = architecture.objective === 'causal-language-modeling';
  const { numAttentionHeads, numKeyValueHeads = numAttentionHeads } = architecture.dimensions;
  const isRotated = architecture.spaceSizes.has('headDim');
  const epsilon = ['rms_norm_eps', 'layer_norm_epsilon', 'layer_norm_eps', 'norm_epsilon']
    .map(field => config[field])
    .find(value => value !== undefined);
  const norm = (architecture.normKind === 'RMSNorm' ? rmsNorm : layerNorm)(
    Number(epsilon ?? { opt: 1e-5, 'timm-vit': 1e-6 }[family] ?? 1e-12),
  );
  const isGated = architecture.parameters.some(({ kind }) => kind === 'gate');
  const named = activation(
    ['activation_function', 'hidden_activation', 'activation', 'hidden_act']
      .map(field => String(config[field]))
      .find(name => name !== 'undefined') ?? 'gelu',
  );
  const { layerTypes, normPlacement } = architecture;
  const fields = config['rope_parameters'] as Record<string, unknown> | undefined;
  const ropeAt = (index: number) => {
    const own = fields?.[layerTypes?.[index] ?? ''];
    return ropeOf(own ? { rope_parameters: own } : config, {
      headSize: headSizeOf(architecture.dimensions),
      positions: 64,
      turnsParts: true,
    });
  };
  const layers = {
    ...{ pre: preNormLayer, post: postNormLayer },
    ...{ sandwich: sandwichLayer, output: outputNormLayer },
  };
  const isScaled = architecture.parameters.some(({ module }) => module === 'scale');
  const plain = isScaled ? scaledLayer : layers[normPlacement];
  const layer = family === 'gpt_neox' ? parallelLayer : plain;
  const norms = { qwen3: 'each', gemma3_text: 'each', olmo2: 'all' } as const;
  const scalar = config['query_pre_attn_scalar'];
  const settings = {
    ...(family in norms && { normsHeads: norms[family as keyof typeof norms] }),
    ...(scalar !== undefined && { scale: Number(scalar) ** -0.5 }),
    ...(family === 'granite' && {
      scale: Number(config['attention_multiplier']),
      branchScale: Number(config['residual_multiplier']),
    }),
    ...(family === 'gemma2' && { softCap: Number(config['attn_logit_softcapping']) }),
    ...{ batchSize, sequenceLength, numAttentionHeads, numKeyValueHeads, norm },
    ...{ feedForward: (isGated ? gatedFeedForward : plainFeedForward)(named) },
  };
  let x = architecture.forward(weights, batch).hiddenStates[0]!;
  computed.forEach((tokens, index) => {
    const keep = Float32Array.from(
      tokens.flatMap(own => range(sequenceLength).map(token => (own.includes(token) ? 1 : 0))),
    );
    const keys = g.constant(
      keep.map(kept => (kept - 1) * 1e9),
      [batchSize, 1, 1, sequenceLength],
    );
    const mask = isCausal ? g.add(keys, causalMask(sequenceLength)) : keys;
    const kept = g.constant(keep, [keep.length, 1]);
    const turns = isRotated && !layerTypes?.[index]?.startsWith('0');
    const result = layer(weights, index, x, {
      ...{ ...settings, mask },
      ...(turns && {
        rotate: rotary(ropeAt(index)(sequenceLength), { batchSize, sequenceLength })([]),
      }),
    });
    x = g.add(g.mul(result, kept), g.mul(x, g.sub(1, kept)));
  });
  return isCausal ? norm(weights, 'final.norm', x) : x;
}

for (const family of familyNames) {
  describe(`a part of ${family}'s layers`, () => {
    const model = tiny(family);
    const { sequenceLength: length } = model;
    const whole = range(length);
    const some = [whole.filter(token => token % 3 !== 1), whole.filter(token => token % 3 !== 2)];
    // Of 6 tokens each leaves out 2; of more, as many as both have.
    const kept = Math.min(...some.map(tokens => tokens.length));
    const tokens = some.map(own => own.slice(0, kept));

    // Heads that talk to each other give hidden tokens a weight too, the bias of their mixing.
    const hidesTokens = !model.architecture.spaceSizes.has('attentionHead');

    it(
      'computes chosen tokens as masked attention over all of them does',
      { skip: !hidesTokens },
      () => {
        const partial = { tokens: { begin: 1, end: 3, rows: selection(length, tokens) } };
        const expected = byHand(model, [[whole, whole], tokens, tokens, [whole, whole]]);
        const actual = lastAndGradients(model, forward(model, partial).at(-1)!);
        lastAndGradients(model, expected).forEach((values, index) =>
          assertClose(actual[index]!, values, 1e-9, `result ${index}`),
        );
      },
    );

    it(
      'computes chosen sequences, also of chosen tokens, and leaves the others as they were',
      { skip: !hidesTokens },
      () => {
        const partial: PartialLayers = {
          tokens: { begin: 2, end: 3, rows: selection(length, tokens) },
          sequences: new Map([
            [1, selection(length, [[], whole])],
            [2, selection(kept, [range(kept), []])],
          ]),
        };
        const expected = byHand(model, [
          [whole, whole],
          [[], whole],
          [tokens[0]!, []],
          [whole, whole],
        ]);
        const actual = lastAndGradients(model, forward(model, partial).at(-1)!);
        lastAndGradients(model, expected).forEach((values, index) =>
          assertClose(actual[index]!, values, 1e-9, `result ${index}`),
        );
      },
    );

    it('is the smaller model when only the bottom layers are computed', () => {
      const small = model.architecture.resized(
        sizesFor(model.architecture, { ...sizes, numHiddenLayers: 2 }),
      );
      const expected = forward(model, {}, small);
      const actual = forward(model, { count: 2 });
      assert.equal(actual.length, expected.length);
      const [values] = g.evaluate([expected.at(-1)!], model.feeds);
      assertClose(g.evaluate([actual.at(-1)!], model.feeds)[0]!, values!, 1e-12, 'hidden states');
    });
  });
}

it('a part of the layers does not go with padding, whose mask has a place for every token', () => {
  for (const family of ['bert', 'gpt2'] as const) {
    const model = tiny(family);
    const { architecture, weights, batch, sequenceLength } = model;
    const attentionMask = g.input('mask', [batchSize, sequenceLength]);
    assert.throws(
      () => architecture.forward(weights, { ...batch, attentionMask, partial: { count: 2 } }),
      /Padded sequences/,
    );
  }
});
