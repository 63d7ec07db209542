import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  recognizeArchitecture,
  type Architecture,
  type Dimensions,
} from '../../../src/architecture';
import { fedForward } from './forward';
import {
  familyNames,
  officialGrown,
  readConfig,
  readFixture,
  readModel,
  shapesOf,
  sizesFor,
  writtenShapes,
  type FamilyName,
} from './fixtures';

const target = {
  numHiddenLayers: 5,
  hiddenSize: 96,
  numAttentionHeads: 6,
  intermediateSize: 400,
} as const satisfies Dimensions;

function assertRecognizedAgain(resized: Architecture): void {
  const again = recognizeArchitecture(resized.config, writtenShapes(resized.parameters));
  assert.deepEqual(again.architecture.parameters, resized.parameters);
  assert.deepEqual(again.architecture.spaceSizes, resized.spaceSizes);
  assert.deepEqual(again.architecture.dimensions, resized.dimensions);
  assert.equal(again.architecture.modelClass, resized.modelClass);
  assert.equal(again.architecture.head, resized.head);
}

for (const family of familyNames) {
  test(`a resized ${family} is what its own config.json describes`, () => {
    const { architecture } = readFixture(family).recognition;
    const sizes = sizesFor(architecture, target);
    const resized = architecture.resized(sizes);
    assert.deepEqual(resized.dimensions, sizes);
    assert.deepEqual(resized.spaceSizes.get('residual'), 96);
    assert.deepEqual(resized.spaceSizes.get('ffn'), 400);
    assert.equal(
      resized.parameters.filter(({ id }) => /^layers\.\d+\.q\.weight$/.test(id)).length,
      5,
    );
    assertRecognizedAgain(resized);
    // Back again it is the model it was.
    const back = resized.resized(architecture.dimensions);
    assert.deepEqual(back.parameters, architecture.parameters);
  });

  test(`resizing ${family} changes the sizes in config.json and nothing else, in place`, () => {
    const config = readConfig(family);
    const { architecture } = recognizeArchitecture(config, shapesOf(readModel(family)));
    const { config: resized } = architecture.resized(sizesFor(architecture, target));
    assert.deepEqual(Object.keys(resized), Object.keys(config));
    const changed = Object.keys(config).filter(
      name => JSON.stringify(resized[name]) !== JSON.stringify(config[name]),
    );
    const sizes = ['hidden_size', 'intermediate_size', 'num_attention_heads', 'num_hidden_layers'];
    const vision = [...sizes, 'pooler_output_size'];
    const rotated = [...sizes, 'head_dim', 'num_key_value_heads'];
    const expected: Partial<Record<FamilyName, readonly string[]>> = {
      vit: vision,
      deit: vision,
      gpt2: ['n_embd', 'n_head', 'n_inner', 'n_layer'],
      llama: rotated,
      llama3: rotated,
      mistral: rotated,
      qwen2: ['layer_types', ...sizes, 'num_key_value_heads'],
      qwen3: ['layer_types', ...rotated],
      phi3: [...sizes, 'num_key_value_heads'],
      starcoder2: [...sizes, 'num_key_value_heads'],
      distilbert: ['dim', 'hidden_dim', 'n_heads', 'n_layers'],
      'timm-vit': ['model_args', 'num_features'],
      'timm-vit-registers': ['model_args', 'num_features'],
      'timm-cait': ['model_args', 'num_features'],
      opt: [
        'ffn_dim',
        'hidden_size',
        'num_attention_heads',
        'num_hidden_layers',
        'word_embed_proj_dim',
      ],
      gemma: rotated,
      gemma2: ['layer_types', ...rotated],
      gemma3: ['layer_types', ...rotated],
      olmo2: [...sizes, 'num_key_value_heads'],
      granite: [...sizes, 'num_key_value_heads'],
      smollm3: ['layer_types', 'no_rope_layers', ...sizes, 'num_key_value_heads'],
    };
    assert.deepEqual(changed.sort(), [...(expected[family] ?? sizes)].sort());
  });
}

test("GPT-2's n_inner stays unset while the FFN is four times as wide as the model", () => {
  const { architecture } = readFixture('gpt2').recognition;
  const fourfold = architecture.resized({ ...target, intermediateSize: 4 * target.hiddenSize });
  assert.equal(fourfold.config['n_inner'], null);
  assertRecognizedAgain(fourfold);
  const wide = architecture.resized(target);
  assert.equal(wide.config['n_inner'], 400);
  assert.equal(wide.resized(fourfold.dimensions).config['n_inner'], 4 * target.hiddenSize);
});

test('a pooler width of its own does not follow the model', () => {
  const config = { ...readConfig('vit'), pooler_output_size: 32 };
  const { architecture } = recognizeArchitecture(config, shapesOf(readModel('vit')));
  assert.equal(architecture.resized(target).config['pooler_output_size'], 32);
});

test('optional parameters and untied heads stay when a model is resized', () => {
  const pretraining = shapesOf(readModel('bert'))
    .set('bert.pooler.dense.weight', { shape: [64, 64] })
    .set('bert.pooler.dense.bias', { shape: [64] })
    .set('cls.seq_relationship.weight', { shape: [2, 64] })
    .set('cls.seq_relationship.bias', { shape: [2] });
  const resized = recognizeArchitecture(readConfig('bert'), pretraining).architecture.resized(
    target,
  );
  assert.equal(resized.parameters.filter(({ used }) => !used).length, 4);
  assertRecognizedAgain(resized);

  const { config, tensors } = officialGrown();
  const untied = recognizeArchitecture(config, shapesOf(tensors)).architecture.resized(target);
  assert.equal(untied.spaceSizes.get('head'), 96);
  assertRecognizedAgain(untied);
});

test('a resized model computes at its own sizes', () => {
  const resized = readFixture('bert').recognition.architecture.resized(target);
  const values = new Map(
    resized.parameters.map(({ id, shape }) => [
      id,
      new Float32Array(shape.reduce((product, size) => product * size, 1)),
    ]),
  );
  const { hiddenStates, readout } = fedForward(resized, values, {
    batchSize: 2,
    sequenceLength: 4,
    inputIds: new Int32Array(8),
  });
  assert.deepEqual(
    hiddenStates.map(({ shape }) => shape),
    Array.from({ length: 6 }, () => [8, 96]),
  );
  const { features, table } = readout();
  assert.deepEqual(
    [features.shape, table.shape],
    [
      [8, 96],
      [512, 96],
    ],
  );
});

test('a table narrower than its layers stays so, one as wide as they are grows along', () => {
  const { architecture } = readFixture('electra').recognition;
  const sizes = { ...architecture.dimensions, hiddenSize: 72, numAttentionHeads: 6 };
  const projected = architecture.resized(sizes);
  assert.equal(projected.config['embedding_size'], 24);
  assert.deepEqual(
    projected.parameters.find(({ id }) => id === 'embeddings.projection.weight')!.shape,
    [72, 24],
  );
  const narrow = architecture.resized({ ...sizes, hiddenSize: 12, numAttentionHeads: 1 });
  assert.throws(
    () => narrow.resized({ ...sizes, hiddenSize: 24, numAttentionHeads: 2 }),
    /hidden size would be its embedding_size \(24\)/,
  );
  const plain = recognizeArchitecture(
    { ...readConfig('electra'), hidden_size: 24, num_attention_heads: 2 },
    writtenShapes(
      architecture.parameters
        .filter(({ id }) => !id.startsWith('embeddings.projection'))
        .map(({ stored, ...parameter }) => ({
          ...parameter,
          stored: { ...stored, shape: stored.shape.map(size => (size === 48 ? 24 : size)) },
        })),
    ),
  ).architecture;
  const grown = plain.resized({ ...plain.dimensions, hiddenSize: 36, numAttentionHeads: 3 });
  assert.equal(grown.config['embedding_size'], 36);
  assertRecognizedAgain(grown);
});
