import type { Dimensions, ModelConfig } from '../architecture';

/** A family's config.json names of the sizes that grow. */
export type DimensionNames = Readonly<Record<keyof Dimensions, string>>;

/** The names most families use. */
export const commonDimensionNames: DimensionNames = {
  numHiddenLayers: 'num_hidden_layers',
  hiddenSize: 'hidden_size',
  numAttentionHeads: 'num_attention_heads',
  intermediateSize: 'intermediate_size',
};

/** config.json at other sizes: every other field and the order of fields stay. */
export function resizedFields(
  config: ModelConfig,
  names: DimensionNames,
  target: Dimensions,
): ModelConfig {
  return {
    ...config,
    [names.numHiddenLayers]: target.numHiddenLayers,
    [names.hiddenSize]: target.hiddenSize,
    [names.numAttentionHeads]: target.numAttentionHeads,
    [names.intermediateSize]: target.intermediateSize,
  };
}
