import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  countedSizes,
  maskedShare,
  paperFlopsPerStep,
  type CountedSizes,
} from '../../../src/run/compare/paperFlops';
import { batchShape } from '../../../src/run/open/data';
import { openModel } from '../../../src/run/open/model';
import { example, fixture } from '../../support/fixtures';

const bert = (layers: number, hidden: number, heads: number): CountedSizes => ({
  ...{ layers, hidden, intermediate: 4 * hidden, heads, sequence: 128 },
  ...{ inputs: 30_522, outputs: 30_522, outputShare: maskedShare },
});
const small = bert(6, 512, 8);
const base = bert(12, 768, 12);

/** Within a share of a published figure. */
const near = (actual: number, published: number, share: number): void =>
  assert.ok(
    Math.abs(actual / published - 1) < share,
    `${actual.toPrecision(6)} is not ${published.toPrecision(6)} to ${100 * share} %`,
  );

describe('the count of the paper', () => {
  // The figures of the LiGO authors' released counter, five digits each.
  it('gives their figure for a step of BERT-Base', () => {
    near(paperFlopsPerStep(base, 256), 1.5068e13, 5e-5);
  });

  it('gives their figure for a step of BERT-Small', () => {
    near(paperFlopsPerStep(small, 256), 4.977e12, 1e-4);
  });

  it('gives their figure for the whole training of BERT-Base', () => {
    near(400_000 * paperFlopsPerStep(base, 256), 6.027e18, 1e-4);
  });

  it('gives Table 3’s figure for 100 steps of learning BERT-Base from BERT-Small', () => {
    const step = paperFlopsPerStep(base, 256, small);
    near(100 * step, 3.613e15, 1e-4);
    near(100 * step, 3.61e15, 0.01);
  });

  it('reads the sizes of every objective', async () => {
    const sizes = async (name: string) => {
      const { architecture, checkpoint } = await openModel(name);
      await checkpoint.close();
      const options = { batchSize: 4, sequenceLength: 32 };
      return countedSizes(architecture, batchShape(architecture, options));
    };
    const common = { layers: 3, hidden: 64, intermediate: 256, heads: 4, sequence: 32 };
    const plain = { queries: 64, keys: 64, feedForwardMatrices: 2 };
    const text = { ...common, ...plain, inputs: 1024, outputs: 1024 };
    assert.deepEqual(await sizes(example('bert-kjv')), { ...text, outputShare: maskedShare });
    assert.deepEqual(await sizes(example('gpt2-kjv')), { ...text, outputShare: 1 });
    // 28 × 28 pixels in patches of 7 × 7, and the class token.
    assert.deepEqual(await sizes(example('vit-fmnist')), {
      ...{ layers: 3, hidden: 48, intermediate: 192, heads: 3, sequence: 17 },
      ...{ queries: 48, keys: 48, feedForwardMatrices: 2 },
      ...{ inputs: 49, outputs: 10, outputShare: 1 / 17 },
    });
    // Four heads of 12 units, two with keys and values, and gated units.
    assert.deepEqual(await sizes(fixture('hf/llama')), {
      ...{ layers: 3, hidden: 48, intermediate: 112, heads: 4, sequence: 32 },
      ...{ queries: 48, keys: 24, feedForwardMatrices: 3 },
      ...{ inputs: 320, outputs: 320, outputShare: 1 },
    });
  });
});
