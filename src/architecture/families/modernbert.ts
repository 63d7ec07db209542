import { flagField, positiveField, sizeField, textField } from '../configFields';
import { llamaNames, type Decoder } from './decoder';
import { attentionBias, everyOther, ropeOfType, windowedLayer, type RopeBases } from './layerKinds';

const bases: RopeBases = {
  full: { field: 'global_rope_theta', theta: 160_000 },
  sliding: { field: 'local_rope_theta', theta: 10_000 },
  scalesAll: true,
};

/**
 * ModernBERT: a masked language model of rotated heads and gated units, in which two of three layers see
 * the tokens nearby alone, and the first attention reads normalised words.
 */
export const modernBert: Decoder = {
  modelType: 'modernbert',
  className: 'ModernBert',
  defaults: {
    numHiddenLayers: 22,
    hiddenSize: 768,
    numAttentionHeads: 12,
    intermediateSize: 1152,
    vocabularySize: 50_368,
    positions: 8192,
    tied: true,
    padding: 50_283,
  },
  names: {
    prefix: 'model.',
    words: 'embeddings.tok_embeddings.weight',
    finalNorm: 'final_norm',
    output: 'decoder.weight',
    modules: {
      ...llamaNames.modules,
      q: 'attn.Wqkv',
      k: 'attn.Wqkv',
      v: 'attn.Wqkv',
      o: 'attn.Wo',
      ln1: 'attn_norm',
      gate: 'mlp.Wi',
      fc1: 'mlp.Wi',
      fc2: 'mlp.Wo',
      ln2: 'mlp_norm',
    },
  },
  norm: { kind: 'LayerNorm', field: 'norm_eps', epsilon: 1e-5 },
  normBias: config => flagField(config, 'norm_bias', false),
  wordNorm: 'embeddings.norm',
  maskedHead: {
    dense: 'head.dense',
    norm: 'head.norm',
    bias: 'decoder.bias',
    settings: config => ({
      activation: textField(config, 'classifier_activation', 'gelu'),
      denseBias: flagField(config, 'classifier_bias', false),
      scoreBias: flagField(config, 'decoder_bias', true),
    }),
  },
  draws: (config, layers) => {
    const cutoff =
      config['initializer_cutoff_factor'] === null
        ? 3
        : positiveField(config, 'initializer_cutoff_factor', 2);
    return {
      giving: { kind: 'normal', scale: 1 / Math.sqrt(2 * layers), cutoff },
      others: { kind: 'normal', scale: 1, cutoff },
    };
  },
  sharesKeys: false,
  activation: config => textField(config, 'hidden_activation', 'gelu'),
  biases: config => ({
    ...attentionBias(config),
    feedForward: flagField(config, 'mlp_bias', false),
  }),
  layerLists: {
    layer_types: everyOther(
      'sliding_attention',
      'full_attention',
      config => sizeField(config, 'global_attn_every_n_layers', { fallback: 3 }),
      'first',
    ),
  },
  layerKind: (config, entries) => {
    const reach = Math.floor(sizeField(config, 'local_attention', { fallback: 128 }) / 2);
    return {
      ...windowedLayer({ sliding_window: reach }, entries),
      rope: ropeOfType(config, entries['layer_types'], bases),
    };
  },
  taskHeads: () => [],
};
