import type { ModelConfig } from '../architecture';
import { flagField, sizeField } from '../configFields';
import type { Biases, Decoder } from './decoder';
import type { Refusal } from './family';

/** One `attention_bias` for all four matrices. */
const attentionBias = (config: ModelConfig): Biases => {
  const bias = flagField(config, 'attention_bias', false);
  return { queriesKeysValues: bias, attentionOutput: bias, feedForward: false };
};

/** The window of a model whose layers all have it. */
const sameWindow = (config: ModelConfig): number | undefined =>
  (config['sliding_window'] ?? undefined) === undefined
    ? undefined
    : sizeField(config, 'sliding_window');

/** Llama 2 and 3, SmolLM2, TinyLlama: the base that the others vary. */
const llama: Decoder = {
  modelType: 'llama',
  className: 'Llama',
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
  window: config => (config['sliding_window'] === undefined ? 4096 : sameWindow(config)),
};

/** Layers that see all and layers that see a window would change places when the depth grows. */
const oneKindOfLayer: readonly Refusal[] = [
  {
    field: 'use_sliding_window',
    refused: value => value === true,
    because: 'some layers would see a window of tokens and others all of them',
  },
  {
    field: 'layer_types',
    refused: value => !Array.isArray(value) || value.some(type => type !== 'full_attention'),
    because: 'only layers that all attend to every token are computed',
  },
];

/** `layer_types` names every layer, where config.json has it. */
const withLayerTypes = (config: ModelConfig, layers: number): ModelConfig =>
  Array.isArray(config['layer_types'])
    ? { ...config, layer_types: new Array<string>(layers).fill('full_attention') }
    : config;

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
  biases: () => ({ queriesKeysValues: true, attentionOutput: false, feedForward: false }),
  refusals: oneKindOfLayer,
  resized: withLayerTypes,
};

/** Qwen3: normalised heads of a size of their own. */
const qwen3: Decoder = {
  modelType: 'qwen3',
  className: 'Qwen3',
  defaults: { ...qwen2.defaults, headDim: 128 },
  biases: attentionBias,
  normsHeads: true,
  refusals: oneKindOfLayer,
  resized: withLayerTypes,
};

/** All decoders of Llama's kind. */
export const decoders: readonly Decoder[] = [llama, mistral, qwen2, qwen3];
