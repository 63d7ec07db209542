import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logits, recognizeArchitecture, type ModelConfig } from '../../../src/architecture';
import { evaluate } from '../../../src/graph';
import { fixtureJson } from '../../support/fixtures';
import { goldenBatch } from '../../support/goldenObjective';
import { fedForward } from './forward';
import { fixtureNames, parameterValues, readFixture, type FamilyName } from './fixtures';

/** By model_type, the fields of transformers' config class; see configFields.py. */
const { common, families, older } = fixtureJson<{
  common: string[];
  families: Record<string, string[]>;
  older: Record<string, string[]>;
}>('configFields.json');

/** Fields that change nothing that is computed here, with why. */
const withoutEffect: Readonly<Record<string, readonly string[]>> = {
  'drops while it trains, which is not done here': [
    ...['attention_dropout', 'attention_probs_dropout_prob', 'attn_pdrop', 'classifier_dropout'],
    ...['drop_path_rate', 'dropout', 'embd_pdrop', 'embedding_dropout', 'hidden_dropout'],
    ...['hidden_dropout_prob', 'layerdrop', 'mlp_dropout', 'qa_dropout', 'resid_pdrop'],
    ...['residual_dropout', 'seq_classif_dropout', 'summary_first_dropout'],
    'summary_last_dropout',
  ],
  'is for generating, or for the tokenizer': [
    ...['bos_token_id', 'eos_token_id', 'cls_token_id', 'sep_token_id', 'use_cache'],
  ],
  'says how the same numbers are computed': [
    ...['chunk_size_feed_forward', 'deterministic_flash_attn', 'pretraining_tp'],
    ...['reorder_and_upcast_attn', 'sparse_prediction', 'sparse_pred_ignore_index'],
  ],
  'is of a head or a use of the model that is not computed here': [
    ...['apply_layernorm', 'reshape_hidden_states', '_out_features', '_out_indices'],
    ...['classifier_pooling', 'encoder_stride', 'pooler_act', 'summary_activation'],
    ...['summary_proj_to_labels', 'summary_type', 'summary_use_proj'],
  ],
  'says nothing of the arithmetic': [
    ...['dtype', 'label2id', 'output_hidden_states', 'return_dict', 'transformers_version'],
  ],
  'is decided by the tensors that are there': ['use_mask_token'],
};

/** Fields of one family that are without effect there. */
const withoutEffectIn: Readonly<Record<string, readonly string[]>> = {
  // A pooler lies beside what is computed.
  vit: ['pooler_output_size'],
  deit: ['pooler_output_size'],
  // Padding has a row of its own in the tables of the others.
  gpt2: ['pad_token_id'],
  // It sees what stands before a token whatever the field says, in transformers too.
  gpt_neox: ['pad_token_id', 'is_decoder'],
};

/** What a fixture's config.json is changed to first, so that its fields have an effect. */
const windows = { use_sliding_window: true, sliding_window: 4, layer_types: null };
const begun: Readonly<Partial<Record<FamilyName, ModelConfig>>> = {
  qwen2: { ...windows, max_window_layers: 1 },
  qwen3: { ...windows, max_window_layers: 1 },
  smollm3: windows,
  gpt_neox: { rope_parameters: null, rotary_pct: 0.5, rotary_emb_base: 10_000 },
  phi3: {
    original_max_position_embeddings: 32,
    rope_parameters: {
      ...{ rope_type: 'longrope', rope_theta: 10_000 },
      ...{ short_factor: [1, 1, 2, 2, 3, 3], long_factor: [2, 2, 4, 4, 6, 6] },
    },
  },
};

/** Fields that the fixture's config.json has a later form of, which wins. */
const replacedBy: Readonly<Record<string, string>> = {
  rope_theta: 'rope_parameters',
  global_rope_theta: 'rope_parameters',
  local_rope_theta: 'rope_parameters',
  rope_local_base_freq: 'rope_parameters',
  partial_rotary_factor: 'rope_parameters',
  sliding_window_pattern: 'layer_types',
  global_attn_every_n_layers: 'layer_types',
  no_rope_layer_interval: 'no_rope_layers',
};

/** Another value of a field than a fixture has. */
function otherValue(field: string, { [field]: value, ...config }: ModelConfig): unknown {
  const scaled = { rope_type: 'linear', factor: 7 };
  switch (field) {
    case 'rope_parameters': {
      const own = (value ?? {}) as ModelConfig;
      const inner = Object.entries(own).filter(([, of]) => typeof of === 'object');
      const changed = inner.map(([type]) => [type, { rope_theta: 3, rope_type: 'default' }]);
      return inner.length > 0 ? Object.fromEntries(changed) : { ...own, rope_theta: 3 };
    }
    case 'rope_scaling':
      return scaled;
    case 'rotary_pct':
      return 1;
    case 'layer_types': {
      const layers = Number(config['num_hidden_layers']);
      return new Array<string>(layers).fill(
        JSON.stringify(value).includes('sliding') ? 'full_attention' : 'sliding_attention',
      );
    }
    case 'no_rope_layers':
      return (value as number[]).map(entry => 1 - entry);
    case 'architectures':
      return ['NoSuchClass'];
    case 'id2label':
      return { 0: 'one', 1: 'two', 2: 'three' };
    case 'problem_type':
      return 'regression';
    case 'sliding_window':
      return 2;
    case 'tie_word_embeddings':
      return !(value ?? true);
    default:
  }
  if (/(_act|activation|activation_function)$/.test(field))
    return value === 'relu' ? 'gelu' : 'relu';
  if (/eps|epsilon/.test(field)) return 0.5;
  if (field === 'embedding_size') return 16;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value === 0 ? 1 : 2 * value;
  return /^(is_|add_|use_)/.test(field) ? true : 3;
}

/** Everything that a config.json decides: what is declared, and the scores of one batch. */
function decided(family: FamilyName, config: ModelConfig): string {
  const { tensors } = readFixture(family);
  const recognition = recognizeArchitecture(config, tensors);
  const fixture = { config, tensors, recognition };
  const { readout, feeds } = fedForward(
    recognition.architecture,
    parameterValues(fixture),
    goldenBatch(family, fixture),
  );
  const [scores] = evaluate([logits(readout())], feeds);
  const shown = Array.from(scores!, score => score.toPrecision(9));
  const { architecture } = recognition;
  const sizes = [...architecture.spaceSizes];
  return JSON.stringify([{ ...architecture, config: undefined, spaceSizes: sizes }, shown]);
}

const isSaid = (family: FamilyName, config: ModelConfig): boolean =>
  recognizeArchitecture(config, readFixture(family).tensors).notes.length > 0;

const withModelType = fixtureNames.filter(family => readFixture(family).config['model_type']);

describe('every field of a config class', () => {
  for (const family of withModelType) {
    it(`of ${family} changes the model, is refused, or is without effect for a reason`, () => {
      const config = { ...readFixture(family).config, ...begun[family] };
      const modelType = String(config['model_type']);
      // Labels are a classifier's; taskHeads.test.ts and labels' goldens have theirs.
      const hasLabels = recognizeArchitecture(config, readFixture(family).tensors).architecture;
      const labels =
        hasLabels.objective === 'image-classification' ? [] : ['id2label', 'problem_type'];
      const harmless = [
        ...Object.values(withoutEffect).flat(),
        ...labels,
        ...(withoutEffectIn[modelType] ?? []),
      ];
      const before = decided(family, config);
      const silent = [...common, ...families[modelType]!, ...(older[modelType] ?? [])]
        .filter(field => !harmless.includes(field))
        .filter(field => {
          const replaced = replacedBy[field];
          const base = replaced === undefined ? config : { ...config, [replaced]: null };
          const unchanged = replaced === undefined ? before : decided(family, base);
          const changed = { ...base, [field]: otherValue(field, base) };
          try {
            return decided(family, changed) === unchanged && !isSaid(family, changed);
          } catch (error) {
            assert.match(String(error), /config|file|checkpoint|rotary|layer|head|class/i);
            return false;
          }
        });
      assert.deepEqual(silent, []);
    });
  }
});
