import type { ModelConfig } from '../architecture';
import { flagField, textField } from '../configFields';
import { llamaNames, usualTaskHeads, type Decoder } from './decoder';

const normsBefore = (config: ModelConfig): boolean =>
  flagField(config, 'do_layer_norm_before', true);

/**
 * OPT: a table of positions that begins with two rows of other use, LayerNorm before or after branches,
 * and words that may be shorter than the hidden size.
 */
export const opt: Decoder = {
  modelType: 'opt',
  className: 'OPT',
  sizeNames: { intermediateSize: 'ffn_dim' },
  defaults: {
    numHiddenLayers: 12,
    hiddenSize: 768,
    numAttentionHeads: 12,
    intermediateSize: 3072,
    vocabularySize: 50_272,
    positions: 2048,
    tied: true,
    padding: 1,
  },
  names: {
    prefix: 'model.',
    layers: 'decoder.layers.',
    words: 'decoder.embed_tokens.weight',
    positions: 'decoder.embed_positions.weight',
    finalNorm: 'decoder.final_layer_norm',
    output: 'lm_head.weight',
    modules: {
      ...llamaNames.modules,
      o: 'self_attn.out_proj',
      ln1: 'self_attn_layer_norm',
      fc1: 'fc1',
      fc2: 'fc2',
      ln2: 'final_layer_norm',
    },
  },
  norm: { kind: 'LayerNorm', epsilon: 1e-5 },
  normPlacement: config => (normsBefore(config) ? 'pre' : 'post'),
  hasFinalNorm: config =>
    normsBefore(config) && !flagField(config, '_remove_final_layer_norm', false),
  positionsFrom: 2,
  wordProjections: {
    field: 'word_embed_proj_dim',
    in: 'decoder.project_in',
    out: 'decoder.project_out',
  },
  rangeField: 'init_std',
  gated: false,
  sharesKeys: false,
  activation: config => textField(config, 'activation_function', 'relu'),
  biases: config => {
    const bias = flagField(config, 'enable_bias', true);
    return { queriesKeysValues: bias, attentionOutput: bias, feedForward: bias };
  },
  refusals: [
    {
      field: 'layer_norm_elementwise_affine',
      refused: value => value === false,
      because: 'norms without weights have nothing that grows',
    },
  ],
  taskHeads: className => usualTaskHeads(className).slice(0, 1),
};
