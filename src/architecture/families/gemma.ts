import type { ModelConfig } from '../architecture';
import { positiveField, sizeField, textField } from '../configFields';
import { llamaNames, type Decoder } from './decoder';
import type { Refusal } from './family';
import { noteOnUnread } from './fieldNames';
import { attentionBias, everyOther, ropeOfType, windowedLayer, type RopeBases } from './layerKinds';
import { classifier } from './taskHeads';

const bidirectional: Refusal = {
  field: 'use_bidirectional_attention',
  refused: value => value === true,
  because: 'a model that predicts the next token would see it',
};

/** Gemma: norms multiply by 1 + weight, and words enter √hiddenSize times as large. */
export const gemma: Decoder = {
  modelType: 'gemma',
  className: 'Gemma',
  defaults: {
    numHiddenLayers: 28,
    hiddenSize: 3072,
    numAttentionHeads: 16,
    numKeyValueHeads: 16,
    headDim: 256,
    intermediateSize: 24_576,
    vocabularySize: 256_000,
    positions: 8192,
    tied: true,
    padding: 0,
  },
  norm: { kind: 'RMSNorm', field: 'rms_norm_eps', epsilon: 1e-6, plus: 1 },
  wordScale: (_, hiddenSize) => Math.fround(Math.sqrt(hiddenSize)),
  biases: attentionBias,
  // Files of old say gelu and mean its approximation.
  activation: config => {
    const named = textField(config, 'hidden_act', 'gelu_pytorch_tanh');
    return named === 'gelu' ? 'gelu_pytorch_tanh' : named;
  },
  refusals: [bidirectional],
};

/** A cap above 0; none where config.json has null, or nothing and the family no default. */
function capField(config: ModelConfig, name: string, otherwise?: number): number | undefined {
  const isAbsent = config[name] === undefined && otherwise === undefined;
  return config[name] === null || isAbsent ? undefined : positiveField(config, name, otherwise);
}

/** Gemma 2: norms before and after each branch, capped scores, a window in every other layer. */
export const gemma2: Decoder = {
  ...gemma,
  modelType: 'gemma2',
  className: 'Gemma2',
  headsDivide: true,
  defaults: {
    ...gemma.defaults,
    numHiddenLayers: 26,
    hiddenSize: 2304,
    numAttentionHeads: 8,
    numKeyValueHeads: 4,
    intermediateSize: 9216,
  },
  names: {
    ...llamaNames,
    modules: {
      ...llamaNames.modules,
      ln1Out: 'post_attention_layernorm',
      ln2: 'pre_feedforward_layernorm',
      ln2Out: 'post_feedforward_layernorm',
    },
  },
  normPlacement: () => 'sandwich',
  activation: config => textField(config, 'hidden_activation', 'gelu_pytorch_tanh'),
  attentionScale: config => positiveField(config, 'query_pre_attn_scalar', 256) ** -0.5,
  softCaps: config => ({
    attention: capField(config, 'attn_logit_softcapping', 50),
    head: capField(config, 'final_logit_softcapping', 30),
  }),
  layerLists: {
    layer_types: everyOther('sliding_attention', 'full_attention', () => 2),
  },
  layerKind: (config, entries) =>
    windowedLayer(config, entries, config['sliding_window'] === null ? {} : { fallback: 4096 }),
};

const bases: RopeBases = {
  full: { field: 'rope_theta', theta: 1_000_000 },
  sliding: { field: 'rope_local_base_freq', theta: 10_000 },
  scalesAll: false,
};

/** Gemma 3's language model: normalised heads, and every sixth layer sees all, with a base of its own. */
export const gemma3: Decoder = {
  ...gemma2,
  modelType: 'gemma3_text',
  className: 'Gemma3',
  bareClass: 'Gemma3TextModel',
  defaults: { ...gemma2.defaults, vocabularySize: 262_208, positions: 131_072 },
  normsHeads: 'each',
  softCaps: config => ({ head: capField(config, 'final_logit_softcapping') }),
  layerLists: {
    layer_types: everyOther('sliding_attention', 'full_attention', config =>
      sizeField(config, 'sliding_window_pattern', { fallback: 6 }),
    ),
  },
  layerKind: (config, entries) => ({
    ...gemma2.layerKind!(config, entries),
    rope: ropeOfType(config, entries['layer_types'], bases),
  }),
  notes: ({ attn_logit_softcapping: cap }) =>
    (cap ?? undefined) === undefined
      ? []
      : [noteOnUnread('attn_logit_softcapping', cap, 'attention scores are not capped')],
  taskHeads: () => [
    {
      modelClass: 'Gemma3TextForSequenceClassification',
      modules: classifier('score', false),
      objective: { name: 'sequence-classification', token: 'last' },
    },
  ],
};
