import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainWeights, type Architecture } from '../../../src/architecture';
import type { Batch } from '../../../src/data/batches';
import {
  countFlops,
  elementCount,
  evaluate,
  input,
  inputName,
  peakBytes,
  programResults,
  type Program,
} from '../../../src/graph';
import {
  batchFeeds,
  middleLayers,
  objectiveGraph,
  partialBatches,
  partialFeeds,
  trainingProgram,
  type PartialShape,
  type TrainingOptions,
} from '../../../src/training';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';
import {
  familyNames,
  isDecoder,
  readFixture,
  sizesFor,
  type FamilyName,
} from '../architecture/fixtures';
import { handMadeBatches } from './handMade';

const layers = 4;
const sizes = { hiddenSize: 16, numAttentionHeads: 2, intermediateSize: 24 };
const optimizer = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 1 } as const;
const shape = { batchSize: 4, sequenceLength: 12, targets: 4 };
const whole: PartialShape = { layers, droppedTokens: 0, droppedSequences: [0, 0, 0, 0] };

function architectureOf(family: FamilyName): Architecture {
  const { architecture } = readFixture(family).recognition;
  return architecture.resized(sizesFor(architecture, { ...sizes, numHiddenLayers: layers }));
}

/** A training step. */
function stepOf(
  architecture: Architecture,
  partial?: PartialShape,
  options?: TrainingOptions,
): Program {
  const used = architecture.parameters.filter(parameter => parameter.used);
  const inputs = new Map(used.map(({ id, shape: size }) => [id, input(id, size)]));
  const feeds = batchFeeds(architecture, shape);
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => inputs.get(id)),
    partial ? partialFeeds(feeds, architecture, shape, partial) : feeds,
  );
  const trained = used
    .filter(({ layer = 0 }) => !partial || layer < partial.layers)
    .map(({ id }) => ({ input: inputs.get(id)!, group: 'all' }));
  return trainingProgram(objective, trained, [], optimizer, options);
}

/** FLOPs of the matrix products of one training step. */
const matrixFlops = (architecture: Architecture, partial?: PartialShape): number =>
  countFlops(programResults(stepOf(architecture, partial))).matrix;

/**
 * FLOPs of a layer's matrix products: forward, twice as many backward, and the sums over rows that
 * are the gradients of its biases and norms.
 */
function layerFlops(sequences: number, tokens: number): number {
  const { hiddenSize, intermediateSize } = sizes;
  const linear = 2 * tokens * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize);
  const attention = 2 * 2 * tokens ** 2 * hiddenSize;
  const vectors = 2 * tokens * (9 * hiddenSize + intermediateSize);
  return sequences * (3 * (linear + attention) + vectors);
}

const drawn = (architecture: Architecture, partial: PartialShape, seed: number) =>
  partialBatches(
    handMadeBatches(step => ({ step: Int32Array.of(step) }), [{ step: Int32Array.of(-1) }]),
    ...([architecture, shape, partial, seed] as const),
  );

/** The rows to compute, by sequence. */
function computedRows(batch: Batch, name: string, length: number, count: number): number[][] {
  const order = [...batch[`${name}.order`]!].slice(0, count);
  const sequences = order.length === 0 ? 0 : shape.batchSize;
  return Array.from({ length: sequences }, (_, sequence) =>
    order.filter(row => Math.floor(row / length) === sequence).map(row => row % length),
  );
}

/** Families whose layers have these matrices, biases and norms and no others. */
const plainFamilies = familyNames.filter(
  family => !isDecoder(family) && !/^timm-(vit-registers|cait)$/.test(family),
);

describe('the FLOPs of a training step', () => {
  for (const family of plainFamilies) {
    const architecture = architectureOf(family);
    const length =
      architecture.accepts.kind === 'images' ? architecture.accepts.sequenceLength : 12;
    const all = matrixFlops(architecture);

    it(`fall by what dropped tokens of ${family} would have cost in the layer between`, () => {
      const saved = all - matrixFlops(architecture, { ...whole, droppedTokens: 3 });
      assert.equal(saved, layerFlops(4, length) - layerFlops(4, length - 3));
    });

    it(`fall by what dropped sequences of ${family} would have cost in each layer`, () => {
      const partial = { ...whole, droppedSequences: [0, 1, 0, 2] };
      assert.equal(all - matrixFlops(architecture, partial), layerFlops(3, length));
    });

    it(`fall by both where both are dropped from ${family}`, () => {
      const partial = { ...whole, droppedTokens: 3, droppedSequences: [0, 0, 1, 0] };
      const saved = all - matrixFlops(architecture, partial);
      assert.equal(saved, layerFlops(4, length) - layerFlops(3, length - 3));
    });

    it(`fall by the layers that a sub-network of ${family} leaves out`, () => {
      const partial = { layers: 3, droppedTokens: 0, droppedSequences: [0, 0, 0] };
      assert.equal(all - matrixFlops(architecture, partial), layerFlops(4, length));
    });
  }
});

describe('what training leaves out', () => {
  it('is tokens between the first two layers and the last, and in none of two', () => {
    assert.deepEqual(middleLayers(12), { begin: 2, end: 11 });
    assert.deepEqual(middleLayers(4), { begin: 2, end: 3 });
    assert.deepEqual(middleLayers(3), { begin: 1, end: 2 });
    assert.equal(middleLayers(2), undefined);
  });

  it('is never a token that stands for the whole, and leaves the others in their order', async () => {
    for (const family of familyNames) {
      const architecture = architectureOf(family);
      const ones = {
        bert: 1,
        roberta: 1,
        distilbert: 1,
        electra: 1,
        vit: 1,
        deit: 2,
        'timm-vit': 1,
      };
      const registers = family === 'timm-vit-registers' ? 5 : 0;
      const leading = ones[family as keyof typeof ones] ?? registers;
      const length =
        architecture.accepts.kind === 'images' ? architecture.accepts.sequenceLength : 12;
      const batches = drawn(architecture, { ...whole, droppedTokens: 5 }, 1);
      const left = new Set<number>();
      for (let step = 0; step < 20; step++) {
        const batch = await batches.train(step);
        const rows = computedRows(batch, 'computed_tokens', length, 4 * (length - 5));
        for (const tokens of rows) {
          assert.equal(tokens.length, length - 5);
          assert.deepEqual(
            tokens,
            [...new Set(tokens)].sort((a, b) => a - b),
          );
          for (let token = 0; token < leading; token++) assert.equal(tokens[token], token);
          for (let token = 0; token < length; token++) {
            if (!tokens.includes(token)) left.add(token);
          }
        }
      }
      assert.deepEqual(left.size, length - leading, `${family} leaves every other token out once`);
    }
  });

  it('is drawn for every batch, sequence and layer by the seed alone', async () => {
    const architecture = architectureOf('gpt2');
    const partial = { ...whole, droppedTokens: 5, droppedSequences: [0, 2, 2, 2] };
    const [one, again, other] = [
      await drawn(architecture, partial, 1).train(7),
      await drawn(architecture, partial, 1).train(7),
      await drawn(architecture, partial, 2).train(7),
    ];
    assert.deepEqual(one, again);
    assert.notDeepEqual(one['computed_tokens.order'], other['computed_tokens.order']);
    const tokens = computedRows(one, 'computed_tokens', 12, 4 * 7);
    assert.ok(new Set(tokens.map(String)).size > 1, 'sequences leave out different tokens');
    const next = await drawn(architecture, partial, 1).train(8);
    assert.notDeepEqual(one['computed_tokens.order'], next['computed_tokens.order']);
    const seen = new Set<string>();
    const batches = drawn(architecture, partial, 1);
    for (let step = 0; step < 8; step++) {
      const batch = await batches.train(step);
      seen.add([1, 3].map(layer => String(batch[`computed_sequences.${layer}.order`])).join('|'));
    }
    assert.ok(seen.size > 4, 'layers and batches leave out different sequences');
  });

  it('is whole sequences where sequences pass a layer by, of the tokens that are left', async () => {
    const architecture = architectureOf('gpt2');
    const partial = { ...whole, droppedTokens: 5, droppedSequences: [0, 1, 3, 0] };
    const batch = await drawn(architecture, partial, 1).train(0);
    const full = computedRows(batch, 'computed_sequences.1', 12, 3 * 12);
    assert.deepEqual(full.map(rows => rows.length).sort(), [0, 12, 12, 12]);
    const short = computedRows(batch, 'computed_sequences.2', 7, 7);
    assert.deepEqual(short.map(rows => rows.length).sort(), [0, 0, 0, 7]);
    for (const name of Object.keys(batch).filter(key => key.endsWith('.order'))) {
      const order = batch[name]!;
      const inverse = batch[name.replace('.order', '.inverse')]!;
      assert.deepEqual(
        [...order].map(row => inverse[row]),
        [...order.keys()],
      );
    }
  });

  it('is nothing of the batches to evaluate on, which go through as they are', async () => {
    const batches = drawn(architectureOf('gpt2'), { ...whole, droppedTokens: 5 }, 1);
    assert.deepEqual(await batches.evaluate(0), { step: Int32Array.of(-1) });
    assert.deepEqual((await batches.train(3))['step'], Int32Array.of(3));
  });
});

it('activations that are computed again make the same step of a part of the network', async () => {
  const architecture = architectureOf('gpt2');
  const partial = { ...whole, droppedTokens: 3, droppedSequences: [0, 1, 2, 0] };
  const [kept, again] = [{}, { recomputeLayers: true }].map(options =>
    stepOf(architecture, partial, options),
  ) as [Program, Program];
  const values = new Map(Object.entries(await drawn(architecture, partial, 1).train(0)));
  const floats = [...kept.feeds, ...kept.state.map(state => state.input)];
  for (const [seed, tensor] of floats.entries()) {
    const name = inputName(tensor);
    if (values.has(name)) continue;
    const count = elementCount(tensor.shape);
    const isIndex = tensor.type === 'int32';
    values.set(
      name,
      isIndex ? Int32Array.from({ length: count }, (_, i) => i) : uniform(seed, count, 0.1, 0.5),
    );
  }
  const feeds = Object.fromEntries(values);
  const expected = evaluate(programResults(kept), feeds);
  evaluate(programResults(again), feeds).forEach((actual, index) =>
    assertClose(actual, expected[index]!, 1e-9, `result ${index}`),
  );
  assert.ok(peakBytes(programResults(again)) < peakBytes(programResults(kept)));
});
