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

/** GPT-2's names. */
export const gpt2DimensionNames: DimensionNames = {
  numHiddenLayers: 'n_layer',
  hiddenSize: 'n_embd',
  numAttentionHeads: 'n_head',
  intermediateSize: 'n_inner',
};

/** A size that config.json gives, by the first of a family's names for it. */
export interface GivenSize {
  /** The usual name. */
  readonly field: string;
  /** Absent where no name of it has a value. */
  readonly value: unknown;
}

/** The sizes that grow as config.json gives them, under whichever names. */
export function givenSizes(config: ModelConfig): Readonly<Record<keyof Dimensions, GivenSize>> {
  const given = (size: keyof Dimensions): GivenSize => {
    const field = commonDimensionNames[size];
    return { field, value: config[field] ?? config[gpt2DimensionNames[size]] ?? undefined };
  };
  return {
    numHiddenLayers: given('numHiddenLayers'),
    hiddenSize: given('hiddenSize'),
    numAttentionHeads: given('numAttentionHeads'),
    intermediateSize: given('intermediateSize'),
  };
}
