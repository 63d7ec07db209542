import type { Dimensions, ModelConfig } from '../architecture';
import type { DimensionNames } from '../configFields';

/** The names most families use. */
export const commonDimensionNames: DimensionNames = {
  numHiddenLayers: 'num_hidden_layers',
  hiddenSize: 'hidden_size',
  numAttentionHeads: 'num_attention_heads',
  intermediateSize: 'intermediate_size',
};

/** Sizes under a family's names of them. */
export function sizeFields(names: DimensionNames, target: Dimensions): Record<string, number> {
  const fields = (Object.keys(names) as (keyof Dimensions)[]).flatMap(size => {
    const field = names[size];
    return field === undefined || target[size] === undefined ? [] : [[field, target[size]]];
  });
  return Object.fromEntries(fields) as Record<string, number>;
}

/** config.json at other sizes: every other field and the order of fields stay. */
export const resizedFields = (
  config: ModelConfig,
  names: DimensionNames,
  target: Dimensions,
): ModelConfig => ({ ...config, ...sizeFields(names, target) });

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

/** All names of sizes that some family has, the usual one first. */
const allNames: Readonly<Record<keyof Dimensions, readonly [string, ...string[]]>> = {
  numHiddenLayers: ['num_hidden_layers', 'n_layer', 'n_layers'],
  hiddenSize: ['hidden_size', 'n_embd', 'dim'],
  numAttentionHeads: ['num_attention_heads', 'n_head', 'n_heads'],
  numKeyValueHeads: ['num_key_value_heads'],
  headDim: ['head_dim'],
  intermediateSize: ['intermediate_size', 'n_inner', 'hidden_dim', 'ffn_dim'],
};

/** A size that grows as config.json gives it, under whichever name. */
export function givenSize(config: ModelConfig, size: keyof Dimensions): GivenSize {
  const names = allNames[size];
  const given = names.find(name => config[name] !== undefined && config[name] !== null);
  return { field: names[0], value: given === undefined ? undefined : config[given] };
}
