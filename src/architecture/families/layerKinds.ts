import { UnsupportedError } from '../../errors';
import { shortJson } from '../../format';
import type { ModelConfig } from '../architecture';
import { flagField, sizeField } from '../configFields';
import type { Biases, LayerKind } from './decoder';

/** One `attention_bias` for all four matrices. */
export const attentionBias = (config: ModelConfig): Biases => {
  const bias = flagField(config, 'attention_bias', false);
  return { queriesKeysValues: bias, attentionOutput: bias };
};

/** The window of a model whose layers all have it. */
export const sameWindow = (config: ModelConfig): LayerKind =>
  (config['sliding_window'] ?? undefined) === undefined
    ? {}
    : { window: sizeField(config, 'sliding_window') };

/** A layer as its entry in `layer_types` says: it sees all tokens, or a window of them. */
export function windowedLayer(
  config: ModelConfig,
  { layer_types: type }: Readonly<Record<string, unknown>>,
  otherwise: { readonly fallback?: number } = {},
): LayerKind {
  if (type === 'full_attention') return {};
  if (type === 'sliding_attention') {
    return { window: sizeField(config, 'sliding_window', otherwise) };
  }
  throw new UnsupportedError(
    `config.json names ${shortJson(type)} in layer_types, which is not one of full_attention and sliding_attention.`,
    'Use a checkpoint whose layers attend so; changing only config.json would make the weights mean something else.',
  );
}

/** Bases of rotation by kind of layer: the fields of v4 that hold them, and what they are without. */
export interface RopeBases {
  readonly full: { readonly field: string; readonly theta: number };
  readonly sliding: { readonly field: string; readonly theta: number };
  /** Whether v4's `rope_scaling` is for layers that see a window too. */
  readonly scalesAll: boolean;
}

/** RoPE's fields of one kind of layer: of v5 by kind, of v4 with a base for layers that see a window. */
export function ropeOfType(
  config: ModelConfig,
  type: unknown,
  { full, sliding, scalesAll }: RopeBases,
): ModelConfig {
  const parameters = (config['rope_parameters'] ?? {}) as ModelConfig;
  const given = (parameters[type as string] ?? { rope_type: 'default' }) as ModelConfig;
  const isFull = type === 'full_attention';
  const { field, theta } = isFull ? full : sliding;
  const scaling = config['rope_scaling'] as ModelConfig | null | undefined;
  const fields = {
    rope_theta: config[field] ?? theta,
    ...given,
    ...(isFull || scalesAll ? scaling : undefined),
  };
  return { rope_parameters: fields };
}

/** A list in which all layers but every `interval`th are of the first kind: the last of each turn, or the first. */
export const everyOther =
  <Entry>(
    common: Entry,
    other: Entry,
    intervalOf: (config: ModelConfig) => number,
    place: 'last' | 'first' = 'last',
  ) =>
  (config: ModelConfig, layers: number): readonly Entry[] => {
    const interval = intervalOf(config);
    const ahead = place === 'last' ? 1 : 0;
    return Array.from({ length: layers }, (_, layer) =>
      (layer + ahead) % interval === 0 ? other : common,
    );
  };
