import type { ModelConfig } from '../architecture';
import { flagField, indexField, positiveField, sizeField } from '../configFields';
import {
  llamaNames,
  usualTaskHeads,
  type Decoder,
  type DecoderNames,
  type LayerList,
} from './decoder';
import { gemma, gemma2, gemma3 } from './gemma';
import { modernBert } from './modernbert';
import { opt } from './opt';
import { attentionBias, everyOther, sameWindow, windowedLayer } from './layerKinds';
import { classifier } from './taskHeads';

/** Llama 2 and 3, SmolLM2, TinyLlama: the base that the others vary. */
const llama: Decoder = {
  modelType: 'llama',
  className: 'Llama',
  headsDivide: true,
  defaults: {
    numHiddenLayers: 32,
    hiddenSize: 4096,
    numAttentionHeads: 32,
    intermediateSize: 11008,
    vocabularySize: 32000,
    positions: 2048,
  },
  biases: config => ({
    ...attentionBias(config),
    feedForward: flagField(config, 'mlp_bias', false),
  }),
};

/** Granite 3: four factors, of words, branches, attention's products and scores. */
const granite: Decoder = {
  modelType: 'granite',
  className: 'Granite',
  defaults: llama.defaults,
  biases: llama.biases!,
  wordScale: config => positiveField(config, 'embedding_multiplier', 1),
  branchScale: config => positiveField(config, 'residual_multiplier', 1),
  attentionScale: config => positiveField(config, 'attention_multiplier', 1),
  scoreScale: config => 1 / positiveField(config, 'logits_scaling', 1),
  taskHeads: () => [],
};

/** Mistral: a window over all layers. */
const mistral: Decoder = {
  modelType: 'mistral',
  className: 'Mistral',
  defaults: {
    ...llama.defaults,
    numKeyValueHeads: 8,
    intermediateSize: 14336,
    positions: 131_072,
  },
  layerKind: config =>
    config['sliding_window'] === undefined ? { window: 4096 } : sameWindow(config),
};

/** Whether a model has a window at all, whatever its size says. */
const usesWindow = (config: ModelConfig): boolean =>
  flagField(config, 'use_sliding_window', false) && config['sliding_window'] !== null;

/** Qwen's layers: from `max_window_layers` on they see a window, if the model has one. */
const windowsAbove: LayerList = (config, layers) => {
  const windows = usesWindow(config);
  const begin = indexField(config, 'max_window_layers', 28);
  return Array.from({ length: layers }, (_, layer) =>
    windows && layer >= begin ? 'sliding_attention' : 'full_attention',
  );
};

const qwenLayer: Decoder['layerKind'] = (config, entries) =>
  usesWindow(config)
    ? windowedLayer(config, entries, { fallback: 4096 })
    : windowedLayer({ ...config, sliding_window: null }, entries);

/** Qwen2 and 2.5: biases on queries, keys and values. */
const qwen2: Decoder = {
  modelType: 'qwen2',
  className: 'Qwen2',
  defaults: {
    ...llama.defaults,
    numKeyValueHeads: 32,
    intermediateSize: 22016,
    vocabularySize: 151_936,
    positions: 32_768,
  },
  biases: () => ({ queriesKeysValues: true }),
  layerLists: { layer_types: windowsAbove },
  layerKind: qwenLayer,
};

/** Qwen3: normalised heads of a size of their own. */
const qwen3: Decoder = {
  modelType: 'qwen3',
  className: 'Qwen3',
  defaults: { ...qwen2.defaults, headDim: 128 },
  biases: attentionBias,
  normsHeads: 'each',
  layerLists: { layer_types: windowsAbove },
  layerKind: qwenLayer,
};

/** Phi-3 and Phi-4-mini: queries, keys and values in one tensor, gate and up in another. */
const phi3: Decoder = {
  modelType: 'phi3',
  className: 'Phi3',
  defaults: {
    ...llama.defaults,
    hiddenSize: 3072,
    intermediateSize: 8192,
    vocabularySize: 32064,
    positions: 4096,
    padding: 32000,
  },
  names: {
    ...llamaNames,
    modules: {
      ...llamaNames.modules,
      q: 'self_attn.qkv_proj',
      k: 'self_attn.qkv_proj',
      v: 'self_attn.qkv_proj',
      gate: 'mlp.gate_up_proj',
      fc1: 'mlp.gate_up_proj',
    },
  },
  norm: { kind: 'RMSNorm', field: 'rms_norm_eps', epsilon: 1e-5 },
  turnsParts: true,
  layerKind: sameWindow,
  ropeFields: config => {
    const named = config['rope_scaling'] ?? config['rope_parameters'] ?? {};
    const fields = named as ModelConfig;
    const kind = fields['rope_type'] ?? fields['type'];
    // Files of old call it so.
    const isLong = kind === 'su' || kind === 'yarn';
    return {
      original_max_position_embeddings: 4096,
      ...config,
      rope_scaling: { ...fields, ...(isLong && { rope_type: 'longrope' }) },
    };
  },
};

/** StarCoder2: LayerNorm, plain units, biases. */
const starcoder2: Decoder = {
  modelType: 'starcoder2',
  className: 'Starcoder2',
  defaults: {
    numHiddenLayers: 30,
    hiddenSize: 3072,
    numAttentionHeads: 24,
    numKeyValueHeads: 2,
    intermediateSize: 12_288,
    vocabularySize: 49_152,
    positions: 4096,
    activation: 'gelu_pytorch_tanh',
    tied: true,
    initializerRange: 0.018042,
  },
  names: {
    ...llamaNames,
    modules: { ...llamaNames.modules, fc1: 'mlp.c_fc', fc2: 'mlp.c_proj' },
  },
  norm: { kind: 'LayerNorm', field: 'norm_epsilon', epsilon: 1e-5 },
  gated: false,
  biases: config => {
    const bias = flagField(config, 'use_bias', true);
    return { queriesKeysValues: bias, attentionOutput: bias, feedForward: bias };
  },
  layerKind: sameWindow,
};

/** 1 for each layer that rotates: all but every so many. */
const rotatedLayers = everyOther(1, 0, config =>
  sizeField(config, 'no_rope_layer_interval', { fallback: 4 }),
);

/** SmolLM3: every fourth layer without positions. */
const smollm3: Decoder = {
  modelType: 'smollm3',
  className: 'SmolLM3',
  defaults: {
    numHiddenLayers: 36,
    hiddenSize: 2048,
    numAttentionHeads: 16,
    numKeyValueHeads: 4,
    intermediateSize: 11_008,
    vocabularySize: 128_256,
    positions: 32_768,
    ropeTheta: 2_000_000,
    tied: true,
    padding: 128_004,
  },
  biases: config => ({
    ...attentionBias(config),
    feedForward: flagField(config, 'mlp_bias', false),
  }),
  layerLists: {
    no_rope_layers: rotatedLayers,
    // Those that do not rotate see a window, if the model has one.
    layer_types: (config, layers) => {
      const windows = usesWindow(config) && typeof config['sliding_window'] === 'number';
      const listed = config['no_rope_layers'];
      const rotates = Array.isArray(listed) ? listed : rotatedLayers(config, layers);
      return Array.from({ length: layers }, (_, layer) =>
        windows && !rotates[layer] ? 'sliding_attention' : 'full_attention',
      );
    },
  },
  layerKind: (config, entries) => ({
    ...windowedLayer(config, entries),
    ...(!entries['no_rope_layers'] && { rope: 'none' }),
  }),
};

const neoxNames: DecoderNames = {
  prefix: 'gpt_neox.',
  words: 'embed_in.weight',
  finalNorm: 'final_layer_norm',
  output: 'embed_out.weight',
  modules: {
    ...llamaNames.modules,
    q: 'attention.query_key_value',
    k: 'attention.query_key_value',
    v: 'attention.query_key_value',
    o: 'attention.dense',
    fc1: 'mlp.dense_h_to_4h',
    fc2: 'mlp.dense_4h_to_h',
  },
};

/** GPT-NeoX and Pythia: branches side by side, a part of each head rotated, heads stored one by one. */
const gptNeox: Decoder = {
  modelType: 'gpt_neox',
  className: 'GPTNeoX',
  defaults: {
    numHiddenLayers: 44,
    hiddenSize: 6144,
    numAttentionHeads: 64,
    intermediateSize: 24_576,
    vocabularySize: 50_432,
    positions: 2048,
    activation: 'gelu',
  },
  names: neoxNames,
  norm: { kind: 'LayerNorm', field: 'layer_norm_eps', epsilon: 1e-5 },
  gated: false,
  sharesKeys: false,
  parallel: config => flagField(config, 'use_parallel_residual', true),
  sharesTensorByHead: true,
  turnsParts: true,
  biases: config => {
    const bias = flagField(config, 'attention_bias', true);
    return { queriesKeysValues: bias, attentionOutput: bias, feedForward: true };
  },
  ropeFields: config => ({
    ...config,
    rope_theta: config['rotary_emb_base'] ?? 10_000,
    partial_rotary_factor: config['rotary_pct'] ?? 0.25,
  }),
  taskHeads: className => [
    {
      modelClass: `${className}ForSequenceClassification`,
      modules: classifier('score', false),
      objective: { name: 'sequence-classification', token: 'last' },
    },
    {
      modelClass: `${className}ForTokenClassification`,
      modules: classifier(),
      objective: { name: 'token-classification' },
    },
  ],
};

/** OLMo 2: norms of what branches give, and of all heads together. */
const olmo2: Decoder = {
  modelType: 'olmo2',
  className: 'Olmo2',
  defaults: { ...llama.defaults, vocabularySize: 50_304, padding: 1 },
  names: {
    ...llamaNames,
    modules: {
      ...llamaNames.modules,
      ln1Out: 'post_attention_layernorm',
      ln2Out: 'post_feedforward_layernorm',
    },
  },
  norm: { kind: 'RMSNorm', field: 'rms_norm_eps', epsilon: 1e-5 },
  normPlacement: () => 'output',
  normsHeads: 'all',
  biases: attentionBias,
  taskHeads: className => usualTaskHeads(className).slice(0, 1),
};

/** All decoders that rotate. */
export const decoders: readonly Decoder[] = [
  llama,
  granite,
  mistral,
  qwen2,
  qwen3,
  phi3,
  starcoder2,
  smollm3,
  gptNeox,
  gemma,
  gemma2,
  gemma3,
  olmo2,
  opt,
  modernBert,
];
