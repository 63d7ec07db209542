import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Dimensions } from '../../../src/architecture';
import { UsageError } from '../../../src/errors';
import {
  checkRequest,
  configRefusals,
  notesOnTarget,
  operatorsOf,
  refusals,
  targetDimensions,
} from '../../../src/growth';
import { resolveTarget } from '../../../src/run/plan/plan';
import { withModel } from '../../support/opened';
import { fixture } from '../../support/fixtures';
import { readConfig, readFixture, type FamilyName } from '../architecture/fixtures';
import { temporaryFolder } from '../data/temporary';
import { smallArchitecture } from '../../support/tinyGrowth';
import { remedyText } from '../../support/remedyText';

const base: Dimensions = {
  numHiddenLayers: 3,
  hiddenSize: 64,
  numAttentionHeads: 4,
  intermediateSize: 256,
};
const source = smallArchitecture('bert', base);
const reasons = (change: Partial<Dimensions>): string[] =>
  refusals(source, { ...base, ...change }).map(({ reason }) => reason);

describe('targetDimensions', () => {
  it('keeps what was not asked for', () => {
    assert.deepEqual(targetDimensions(base, {}), base);
    assert.deepEqual(targetDimensions(base, { layers: 6 }), { ...base, numHiddenLayers: 6 });
    assert.deepEqual(targetDimensions(base, { ffn: 300 }), { ...base, intermediateSize: 300 });
  });

  it('gives a wider model more heads of the same size and the same feed-forward ratio', () => {
    const wider = { ...base, hiddenSize: 96, numAttentionHeads: 6, intermediateSize: 384 };
    assert.deepEqual(targetDimensions(base, { hidden: 96 }), wider);
    assert.deepEqual(targetDimensions(base, { heads: 6 }), wider);
    assert.deepEqual(targetDimensions(base, { hidden: 96, heads: 6 }), wider);
    const request = { hidden: 96, ffn: 500 };
    assert.equal(targetDimensions(base, request).intermediateSize, 500);
  });

  it('takes heads as asked, even where they cannot work', () => {
    assert.equal(targetDimensions(base, { hidden: 96, heads: 5 }).numAttentionHeads, 5);
  });
});

describe('refusals', () => {
  it('are none for growing in depth, width, both, or the feed-forward size alone', () => {
    for (const request of [
      { layers: 4 },
      { hidden: 80 },
      { layers: 9, hidden: 128 },
      { ffn: 257 },
    ]) {
      assert.deepEqual(refusals(source, targetDimensions(base, request)), []);
    }
  });

  for (const [change, reason] of [
    [{ numHiddenLayers: 2 }, /2 layers, fewer than the source's 3/],
    [{ hiddenSize: 48, numAttentionHeads: 3 }, /48 hidden units, fewer than the source's 64/],
    [{ intermediateSize: 255 }, /255 feed-forward units, fewer than the source's 256/],
    [{ hiddenSize: 96, numAttentionHeads: 5 }, /96 hidden units do not divide into 5 heads/],
    [{ hiddenSize: 96, numAttentionHeads: 4 }, /head size would change from 16 to 24/],
    [{ numAttentionHeads: 8 }, /head size would change from 16 to 8/],
    [{}, /same sizes as the source/],
  ] as const) {
    it(`name the reason: ${reason.source}`, () => {
      const found = reasons(change);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0]!, reason);
    });
  }

  it('name every reason at once, each with a remedy', () => {
    const found = refusals(source, {
      numHiddenLayers: 1,
      hiddenSize: 50,
      numAttentionHeads: 3,
      intermediateSize: 10,
    });
    assert.equal(found.length, 4);
    for (const { remedy } of found) assert.match(remedyText(remedy), /\.$/);
  });

  it('suggest hidden sizes that do divide', () => {
    const target = targetDimensions(base, { hidden: 100 });
    const [refusal] = refusals(source, target);
    assert.match(refusal!.reason, /100 hidden units do not divide into 6 heads/);
    assert.match(remedyText(refusal!.remedy), /96 or 112 hidden units/);
    for (const hidden of [96, 112]) {
      assert.deepEqual(refusals(source, targetDimensions(base, { hidden })), []);
    }
  });
});

describe('configRefusals', () => {
  const bert = readConfig('bert');

  it('are none when only sizes that grow differ', () => {
    const larger = { ...bert, hidden_size: 96, num_hidden_layers: 6, num_attention_heads: 6 };
    assert.deepEqual(configRefusals(bert, larger), []);
    assert.deepEqual(configRefusals(bert, { hidden_size: 96 }), []);
  });

  for (const [field, value, what] of [
    ['vocab_size', 600, 'vocabulary'],
    ['max_position_embeddings', 128, 'number of positions'],
    ['type_vocab_size', 1, 'number of token types'],
    ['model_type', 'roberta', 'model family'],
    ['tie_word_embeddings', false, 'tied or untied head'],
    ['hidden_act', 'relu', 'activation'],
  ] as const) {
    it(`name a change of ${field}, with both values`, () => {
      const [refusal, ...others] = configRefusals(bert, { ...bert, [field]: value });
      assert.equal(others.length, 0);
      assert.ok(refusal!.reason.includes(`the ${what} (${field})`));
      assert.ok(refusal!.reason.includes(JSON.stringify(bert[field])));
      assert.ok(refusal!.reason.includes(JSON.stringify(value)));
      assert.ok(
        remedyText(refusal!.remedy).includes(`set ${field} to ${JSON.stringify(bert[field])}`),
      );
    });
  }

  it('name a change of image or patch size, given as a number or a pair', () => {
    const vit = readConfig('vit');
    assert.equal(configRefusals(vit, { ...vit, image_size: 64, patch_size: 16 }).length, 2);
    assert.equal(configRefusals({ image_size: [8, 8] }, { image_size: [8, 8] }).length, 0);
    assert.equal(configRefusals({ image_size: [8, 8] }, { image_size: [8, 16] }).length, 1);
  });
});

describe('notesOnTarget', () => {
  const bert = readConfig('bert');
  const message = (target: Record<string, unknown>): string =>
    notesOnTarget(bert, target)
      .map(note => note.message)
      .join();

  it('are none for sizes of the grown model, and for what says nothing of the arithmetic', () => {
    const target = {
      ...bert,
      transformers_version: '4',
      hidden_dropout_prob: 0.5,
      eos_token_id: 9,
    };
    assert.equal(message(target), '');
    assert.equal(message({ unknown_to_us: 1 }), '');
  });

  it('name every field that the grown model does not follow', () => {
    assert.match(message({ ...bert, layer_norm_eps: 0.5 }), /layer_norm_eps 0\.5; only sizes/);
    const many = { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 };
    const found = notesOnTarget({ ...bert, ...many }, { a: 2, b: 2, c: 2, d: 2, e: 2, f: 2 });
    assert.match(found[0]!.message, /a 2, b 2, c 2, d 2 and 2 other fields;/);
  });
});

describe("a target config.json of timm's", () => {
  const planned = async (family: FamilyName, change: Record<string, unknown>) => {
    const config = readConfig(family);
    const given = { ...(config['model_args'] as object), ...change };
    const folder = temporaryFolder({
      'config.json': JSON.stringify({ ...config, model_args: given }),
    });
    return withModel(fixture(`hf/${family}`), model =>
      resolveTarget(model, { config: join(folder, 'config.json') }),
    );
  };

  for (const family of ['timm-cait', 'timm-vit', 'timm-vit-registers'] as const) {
    it(`gives the sizes of a ${family}`, async () => {
      const sizes = { depth: 5, embed_dim: 96, num_heads: 8, mlp_ratio: 3, drop_rate: 0.1 };
      const { dimensions, refusals: found, notes } = await planned(family, sizes);
      assert.deepEqual(dimensions, {
        numHiddenLayers: 5,
        hiddenSize: 96,
        numAttentionHeads: 8,
        intermediateSize: 288,
      });
      assert.deepEqual([found, notes], [[], []]);
    });

    it(`is refused where it changes what a ${family} keeps`, async () => {
      const fixed =
        family === 'timm-cait' ? { depth_token_only: 3 } : { reg_tokens: 2, no_embed_class: true };
      const { refusals: found } = await planned(family, { embed_dim: 96, num_heads: 8, ...fixed });
      assert.match(found[0]!.reason, /layers of the class token|number of registers/);
    });

    it(`is followed in sizes alone where it changes biases of a ${family}, which is said`, async () => {
      const change = { embed_dim: 96, num_heads: 8, qkv_bias: false };
      const { refusals: found, notes } = await planned(family, change);
      assert.equal(found.length, 0);
      assert.match(notes[0]!.message, /qkv_bias false/);
    });
  }
});

describe('checkRequest', () => {
  it('accepts whole numbers and what was not given', () => {
    checkRequest({});
    checkRequest({ layers: 12, hidden: 768, heads: 12, ffn: 1 });
  });

  it('refuses what is no size, by the name of the option', () => {
    for (const value of [0, -4, 1.5, NaN, Infinity, 2 ** 20 + 1]) {
      assert.throws(
        () => checkRequest({ hidden: value }),
        (error: unknown) => error instanceof UsageError && error.message.startsWith('--hidden is '),
        String(value),
      );
    }
  });
});

describe('heads that share keys and values', () => {
  const shared: Dimensions = { ...base, numAttentionHeads: 8, numKeyValueHeads: 4, headDim: 8 };
  const llama = readFixture('llama').recognition.architecture.resized(shared);
  const refused = (request: Parameters<typeof targetDimensions>[1]): string[] =>
    refusals(llama, targetDimensions(shared, request)).map(({ reason }) => reason);

  it('keep their ratio, and their size', () => {
    const { numAttentionHeads, numKeyValueHeads, headDim } = targetDimensions(shared, {
      hidden: 96,
    });
    assert.deepEqual([numAttentionHeads, numKeyValueHeads, headDim], [12, 6, 8]);
    assert.deepEqual(refused({ hidden: 96 }), []);
    assert.deepEqual(refused({ heads: 12, kvHeads: 6 }), []);
  });

  it('are appended in whole groups alone', () => {
    assert.match(refused({ hidden: 72 })[0]!, /9 attention heads for 4 key-value heads/);
    assert.match(refused({ hidden: 96, kvHeads: 4 })[0]!, /12 attention heads for 4/);
    assert.match(refused({ hidden: 96, kvHeads: 12 })[0]!, /only whole groups are appended/);
  });

  describe('of a size that config.json may name', () => {
    const few: Dimensions = { ...base, numAttentionHeads: 8, numKeyValueHeads: 2 };
    const qwen = readFixture('qwen2').recognition.architecture.resized(few);

    it('come in whole groups, their size said where they do not divide the hidden size', () => {
      const target = targetDimensions(few, { hidden: 80 }, qwen);
      const { numAttentionHeads, numKeyValueHeads, headDim } = target;
      assert.deepEqual([numAttentionHeads, numKeyValueHeads, headDim], [8, 2, 8]);
      assert.deepEqual(refusals(qwen, target), []);
      const { config, dimensions } = qwen.resized(target);
      assert.equal(config['head_dim'], 8);
      assert.deepEqual(dimensions, target);
    });

    it('are not named where they divide it', () => {
      const target = targetDimensions(few, { hidden: 96 }, qwen);
      assert.deepEqual([target.numAttentionHeads, target.headDim], [12, undefined]);
    });

    it('divide the hidden size all the same where the config class insists', () => {
      assert.equal(llama.namesHeadSize, undefined);
      assert.match(
        refusals(llama, { ...shared, hiddenSize: 100 })[0]!.reason,
        /100 hidden units do not divide into 8 heads/,
      );
    });
  });

  it('stay one pair where all share one', () => {
    const single = { ...shared, numKeyValueHeads: 1 };
    const source = llama.resized(single);
    const target = targetDimensions(single, { hidden: 72 });
    assert.deepEqual([target.numAttentionHeads, target.numKeyValueHeads], [9, 1]);
    assert.deepEqual(refusals(source, target), []);
    const growth = { source, target: source.resized(target) };
    const shapes = new Map(operatorsOf(growth).map(({ name, shape }) => [name, shape]));
    assert.deepEqual(shapes.get('width.query.0'), [1, 8]);
    assert.equal(shapes.has('width.key.0') || shapes.has('width.value.0'), false);
  });

  it('have operators over heads, and over units of values', () => {
    const growth = {
      source: llama,
      target: llama.resized(targetDimensions(shared, { hidden: 96 })),
    };
    const shapes = new Map(operatorsOf(growth).map(({ name, shape }) => [name, shape]));
    assert.deepEqual(shapes.get('width.query.0'), [4, 8]);
    assert.deepEqual(shapes.get('width.key.0'), [2, 4]);
    assert.deepEqual(shapes.get('width.value.0'), [16, 32]);
    assert.deepEqual(shapes.get('width.residual'), [32, 64]);
  });
});
