import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activation, recognizeArchitecture } from '../../../src/architecture';
import { CorruptFileError, UnsupportedError, type UserError } from '../../../src/errors';
import { fedForward } from './forward';
import { readConfig, readFixture, readModel, shapesOf, type FamilyName } from './fixtures';
import { remedyText } from '../../support/remedyText';

/** Asserts a UserError of a class whose message matches and which has a remedy. */
function assertRefused(
  action: () => unknown,
  errorClass: new (message: string, remedy: string) => UserError,
  message: RegExp,
): UserError {
  let caught: unknown;
  assert.throws(action, error => {
    caught = error;
    return true;
  });
  assert.ok(caught instanceof errorClass, `${String(caught)} is a ${errorClass.name}`);
  assert.match(caught.message, message);
  assert.match(remedyText(caught.remedy), /\.$/);
  return caught;
}

const withConfig = (family: FamilyName, changes: Record<string, unknown>) => () =>
  recognizeArchitecture({ ...readConfig(family), ...changes }, shapesOf(readModel(family)));

const unsupported: [FamilyName, Record<string, unknown>, RegExp][] = [
  ['bert', { model_type: 'mamba' }, /"mamba", which is not supported/],
  ['bert', { position_embedding_type: 'relative_key' }, /position_embedding_type/],
  ['bert', { is_decoder: true }, /is_decoder/],
  ['bert', { add_cross_attention: true }, /cross-attention/],
  ['bert', { hidden_act: 'xielu' }, /activation "xielu"/],
  ['bert', { pruned_heads: { 0: [1] } }, /pruned/],
  ['roberta', { is_decoder: true }, /is_decoder/],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx/],
  ['gpt2', { add_cross_attention: true }, /add_cross_attention/],
  ['gpt2', { quantization_config: { bits: 4 } }, /quantization_config/],
  ['vit', { architectures: ['ViTForMaskedImageModeling'] }, /masked images/],
  ['qwen3', { layer_types: new Array(3).fill('chunked_attention') }, /"chunked_attention" in/],
  ['gemma2', { use_bidirectional_attention: true }, /would see it/],
  ['llama', { rope_parameters: { rope_type: 'proportional' } }, /"proportional", which is not one/],
  [
    'llama',
    { rope_parameters: { rope_type: 'linear', factor: 2, partial_rotary_factor: 0.5 } },
    /partial_rotary_factor to 0\.5/,
  ],
];

for (const [family, changes, message] of unsupported) {
  test(`${family} with ${JSON.stringify(changes)} is refused with the reason`, () => {
    assertRefused(withConfig(family, changes), UnsupportedError, message);
  });
}

const corrupt: [FamilyName, Record<string, unknown>, RegExp][] = [
  ['llama', { num_key_value_heads: 3 }, /4 attention heads do not divide among 3 key-value heads/],
  ['llama', { head_dim: 0 }, /head_dim is 0/],
  [
    'llama',
    { rope_parameters: { rope_type: 'linear' } },
    /factor of the rotary positions is missing/,
  ],
  ['llama', { rope_parameters: { rope_theta: -1 } }, /rope_theta .* is -1/],
  ['llama', { rope_parameters: [] }, /rope_parameters is \[\], not an object/],
  [
    'phi3',
    { rope_scaling: { type: 'su', short_factor: [1] } },
    /short_factor .* list of 6 numbers/,
  ],
  ['gpt_neox', { rope_parameters: { partial_rotary_factor: 0.3 } }, /turn 3 of the 12 units/],
  ['qwen3', { layer_types: ['full_attention'] }, /layer_types has 1 entry for 3 layers/],
  // A window is only one where the model says that it uses it.
  ['qwen2', { layer_types: new Array(3).fill('sliding_attention') }, /sliding_window is null/],
  ['gemma2', { sliding_window: null }, /sliding_window is null/],
  ['gemma2', { attn_logit_softcapping: 0 }, /attn_logit_softcapping is 0, not a number above 0/],
  ['gemma3', { query_pre_attn_scalar: -1 }, /query_pre_attn_scalar is -1/],
  ['smollm3', { no_rope_layers: [1, 0] }, /no_rope_layers has 2 entries for 4 layers/],
  ['bert', { hidden_size: undefined }, /config\.json makes it \[512, 768\]/],
  ['bert', { hidden_size: null }, /hidden_size is null/],
  ['bert', { hidden_size: 0 }, /hidden_size is 0/],
  ['bert', { hidden_size: 64.5 }, /hidden_size is 64\.5/],
  ['bert', { hidden_size: '64' }, /hidden_size is "64"/],
  ['bert', { vocab_size: 2 ** 20 + 1 }, /vocab_size is 1048577/],
  ['bert', { num_hidden_layers: 100_000 }, /num_hidden_layers is 100000/],
  ['bert', { num_attention_heads: 5 }, /64 does not divide into 5 attention heads/],
  ['bert', { layer_norm_eps: -1 }, /layer_norm_eps is -1/],
  ['bert', { tie_word_embeddings: 'yes' }, /tie_word_embeddings is "yes"/],
  ['bert', { architectures: 'BertModel' }, /architectures is "BertModel"/],
  ['roberta', { max_position_embeddings: 2 }, /2 positions leave none after the padding id 1/],
  ['gpt2', { n_head: null }, /n_head is missing|n_head is null/],
  ['vit', { patch_size: [8] }, /patch_size is \[8\]/],
  ['vit', { patch_size: 64 }, /patches of 64 × 64 do not fit/],
  ['vit', { id2label: {} }, /id2label is \{\}/],
  // The file contradicts the config.
  ['bert', { hidden_size: 128 }, /\[512, 64\] in the file, but config\.json makes it \[512, 128\]/],
  ['bert', { num_hidden_layers: 2 }, /counts 2 layers, but the file holds bert\.encoder\.layer\.2/],
  ['bert', { num_hidden_layers: 4 }, /16 tensors are missing.*encoder\.layer\.3.* and 13 more/],
  ['bert', { tie_word_embeddings: false }, /cls\.predictions\.decoder\.weight/],
  ['vit', { image_size: 64 }, /position_embeddings is \[1, 17, 48\]/],
  ['vit', { num_channels: 1 }, /projection\.weight is \[48, 3, 8, 8\]/],
];

for (const [family, changes, message] of corrupt) {
  test(`${family} with ${JSON.stringify(changes)} contradicts itself or its file`, () => {
    assertRefused(withConfig(family, changes), CorruptFileError, message);
  });
}

test('without config.json the error says what the shapes show and what they cannot', () => {
  const error = assertRefused(
    () => recognizeArchitecture(undefined, shapesOf(readModel('gpt2'))),
    UnsupportedError,
    /gpt2 with 3 layers of width 64, but the number of attention heads leaves no trace/,
  );
  assert.match(remedyText(error.remedy), /config\.json/);
  assertRefused(
    () => recognizeArchitecture(undefined, new Map([['w', { shape: [2] }]])),
    UnsupportedError,
    /fit no supported family/,
  );
});

test('an unknown family is told which ones are supported', () => {
  const error = assertRefused(withConfig('bert', { model_type: 't5' }), UnsupportedError, /"t5"/);
  assert.match(
    remedyText(error.remedy),
    /bert, camembert, deit, dinov2, distilbert, .*modernbert, .* roberta, .* vit, xlm-roberta\./,
  );
});

test('a masked-image decoder in the file is refused even when config.json does not name it', () => {
  const tensors = shapesOf(readModel('vit')).set('decoder.0.weight', { shape: [192, 48, 1, 1] });
  assertRefused(
    () => recognizeArchitecture({ ...readConfig('vit'), architectures: null }, tensors),
    UnsupportedError,
    /masked images/,
  );
});

for (const [family, modelClass] of [
  ['bert', 'BertForMaskedLM'],
  ['roberta', 'RobertaForMaskedLM'],
  ['vit', 'ViTForImageClassification'],
  ['deit', 'DeiTForImageClassificationWithTeacher'],
] as const) {
  test(`the forward pass of ${family} without a head names the class to save instead`, () => {
    const encoder = new Map(
      [...shapesOf(readModel(family))].filter(([name]) => name.startsWith(`${family}.`)),
    );
    const config = { ...readConfig(family), architectures: [] };
    const { architecture } = recognizeArchitecture(config, encoder);
    assert.equal(architecture.head, 'none');
    const error = assertRefused(
      () => fedForward(architecture, new Map(), { batchSize: 1 }),
      UnsupportedError,
      /no head/,
    );
    assert.ok(remedyText(error.remedy).includes(modelClass));
  });
}

test('a config.json that names a class with a head makes a file without one incomplete', () => {
  const encoder = new Map(
    [...shapesOf(readModel('bert'))].filter(([name]) => name.startsWith('bert.')),
  );
  assertRefused(
    () => recognizeArchitecture(readConfig('bert'), encoder),
    CorruptFileError,
    /5 tensors are missing.*cls\.predictions/,
  );
});

test('sequences longer than the position table are refused', () => {
  const { architecture } = readFixture('roberta').recognition;
  assert.deepEqual(architecture.accepts, {
    kind: 'tokens',
    vocabularySize: 512,
    longestSequence: 64,
  });
  const inputIds = new Int32Array(65);
  assertRefused(
    () => fedForward(architecture, new Map(), { batchSize: 1, sequenceLength: 65, inputIds }),
    UnsupportedError,
    /65 tokens do not fit: the model has positions for 64/,
  );
});

test('targets that make no transformer are refused', () => {
  const { architecture } = readFixture('bert').recognition;
  const resize = (changes: object) => () =>
    architecture.resized({ ...architecture.dimensions, ...changes });
  assertRefused(resize({ hiddenSize: 90 }), UnsupportedError, /90 does not divide into 4/);
  assertRefused(resize({ numHiddenLayers: 0 }), UnsupportedError, /numHiddenLayers is 0/);
  assertRefused(resize({ intermediateSize: 1.5 }), UnsupportedError, /intermediateSize is 1\.5/);
});

test('attention in higher precision is accepted: in float32 it is the same', () => {
  assert.doesNotThrow(withConfig('gpt2', { reorder_and_upcast_attn: true }));
});

test('an unknown activation is refused with the known ones', () => {
  assertRefused(() => activation('mish'), UnsupportedError, /gelu_new/);
});

test('a part of each head that the family does not rotate is said', () => {
  const changes = { rope_parameters: { rope_theta: 10_000, partial_rotary_factor: 0.5 } };
  const [note, ...others] = withConfig('llama', changes)().notes;
  assert.match(note!.message, /partial_rotary_factor \(0\.5\) is not read in this family/);
  assert.deepEqual(others, []);
  assert.deepEqual(withConfig('gpt_neox', changes)().notes, []);
});

test('buffers of old files of decoders are left out', () => {
  const tensors = shapesOf(readModel('gpt_neox'))
    .set('gpt_neox.layers.0.attention.bias', { shape: [1, 1, 64, 64] })
    .set('gpt_neox.layers.0.attention.masked_bias', { shape: [] })
    .set('gpt_neox.layers.0.attention.rotary_emb.inv_freq', { shape: [3] });
  const { ignored, lost } = recognizeArchitecture(readConfig('gpt_neox'), tensors);
  assert.equal(ignored.length, 3);
  assert.deepEqual(lost, []);
});
