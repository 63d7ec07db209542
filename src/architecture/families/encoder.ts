import { activation } from '../blocks/activations';
import { paddingMask } from '../blocks/attention';
import type { Dimensions, ForwardInputs, ModelConfig } from '../architecture';
import { defaultedSize, dimensionFields, epsilonField, textField } from '../configFields';
import {
  declareLayer,
  declareModule,
  declareParameter,
  space,
  type LayerModules,
  type SpaceSizes,
} from '../declare';
import { plainFeedForward, type FeedForward } from '../blocks/feedForward';
import { postNormLayer, runLayers } from '../blocks/layers';
import { layerNorm, type Norm } from '../blocks/norms';
import type { Tensor } from '../../graph';
import type { Draw, Parameter, SpaceRole } from '../parameter';
import type { Weights } from '../weights';
import { commonDimensionNames } from './dimensionNames';
import type { notesOnUnread } from './fieldNames';
import { requireUnpadded, tokenLookups } from './tokens';

/** BERT's encoder as config.json describes it. */
export interface EncoderSettings {
  readonly dimensions: Dimensions;
  readonly vocabularySize: number;
  readonly positions: number;
  readonly tokenTypes: number;
  readonly norm: Norm;
  readonly feedForward: FeedForward;
}

/** Reads what BERT and RoBERTa configs have in common. */
export function encoderSettings(
  config: ModelConfig,
  defaultVocabularySize: number,
): EncoderSettings {
  return {
    dimensions: dimensionFields(config, commonDimensionNames),
    vocabularySize: defaultedSize(config, 'vocab_size', defaultVocabularySize),
    positions: defaultedSize(config, 'max_position_embeddings', 512),
    tokenTypes: defaultedSize(config, 'type_vocab_size', 2),
    norm: layerNorm(epsilonField(config, 'layer_norm_eps', 1e-12)),
    feedForward: plainFeedForward(activation(textField(config, 'hidden_act', 'gelu'))),
  };
}

/** GPT-2's names of fields, which count for nothing in the families that have these. */
export const unreadFields = (config: ModelConfig): Parameters<typeof notesOnUnread>[1] => {
  const own = (read: string, fallback?: unknown) => ({ read, value: config[read] ?? fallback });
  return {
    n_embd: own('hidden_size', 768),
    n_layer: own('num_hidden_layers', 12),
    n_head: own('num_attention_heads', 12),
    n_inner: own('intermediate_size', 3072),
    layer_norm_epsilon: own('layer_norm_eps', 1e-12),
    activation_function: own('hidden_act', 'gelu'),
  };
};

/** Sizes of the encoder's spaces. */
export function encoderSpaceSizes(settings: EncoderSettings): Map<SpaceRole, number> {
  const { hiddenSize, intermediateSize } = settings.dimensions;
  return new Map<SpaceRole, number>([
    ['vocabulary', settings.vocabularySize],
    ['position', settings.positions],
    ['tokenType', settings.tokenTypes],
    ['residual', hiddenSize],
    ['query', hiddenSize],
    ['key', hiddenSize],
    ['value', hiddenSize],
    ['ffn', intermediateSize],
  ]);
}

const modules = {
  q: { name: 'attention.self.query' },
  k: { name: 'attention.self.key' },
  v: { name: 'attention.self.value' },
  o: { name: 'attention.output.dense' },
  ln1: { name: 'attention.output.LayerNorm' },
  fc1: { name: 'intermediate.dense' },
  fc2: { name: 'output.dense' },
  ln2: { name: 'output.LayerNorm' },
} as const satisfies LayerModules;

/** Tensor name of the word embeddings. */
export const wordTable = (prefix: string): string => `${prefix}embeddings.word_embeddings.weight`;

type EncoderTable = 'word' | 'position' | 'tokenType';

/** What sets the tables of one encoder apart from another's. */
export interface EncoderTables {
  /** Name of an output table that is tied to the word embeddings. */
  readonly outputTable?: string;
  /** The row of the padding token, and the tables in which it is drawn as zeros. */
  readonly padding: {
    readonly row: number | undefined;
    readonly tables: readonly EncoderTable[];
  };
}

/** torch's Embedding keeps the row of `padding_idx` at zero, where there is one. */
export const withZeroRow = (row: number | undefined, rows: number): Draw => ({
  kind: 'normal',
  scale: 1,
  ...(row !== undefined && row >= 0 && row < rows && { zeroRow: row }),
});

/**
 * Embeddings and layers; `prefix` stands before every tensor name. An `outputTable` that is tied to the
 * word embeddings may stand for them in the file.
 */
export function encoderParameters(
  sizes: SpaceSizes,
  prefix: string,
  { numHiddenLayers }: Dimensions,
  { outputTable, padding }: EncoderTables,
): Parameter[] {
  const table = (id: EncoderTable, role: SpaceRole, tensor: string, readAs?: string[]): Parameter =>
    declareParameter(sizes, {
      id: `embeddings.${id}.weight`,
      module: 'table',
      stage: 'embedding',
      draw: padding.tables.includes(id) ? withZeroRow(padding.row, sizes.get(role)!) : undefined,
      tensor,
      spaces: [space(role), space('residual')],
      ...(readAs && { readAs }),
    });
  const words = wordTable(prefix);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(sizes, { layer, prefix: `${prefix}encoder.layer.${layer}.` }, modules),
  );
  return [
    table(
      'word',
      'vocabulary',
      words,
      outputTable === undefined ? undefined : [words, outputTable],
    ),
    table('position', 'position', `${prefix}embeddings.position_embeddings.weight`),
    table('tokenType', 'tokenType', `${prefix}embeddings.token_type_embeddings.weight`),
    ...declareModule(
      sizes,
      { id: 'embeddings.norm', stage: 'embedding', out: space('residual') },
      { name: `${prefix}embeddings.LayerNorm` },
    ),
    ...layers.flat(),
  ];
}

/** The pooler of a model that has one: grown along with the rest; only some classifiers read it. */
export function poolerParameters(
  sizes: SpaceSizes,
  prefix: string,
  { used }: { readonly used: boolean },
): Parameter[] {
  return declareModule(
    sizes,
    { id: 'pooler', stage: 'head', out: space('residual'), in: space('residual'), used },
    { name: `${prefix}pooler.dense` },
  );
}

/** The embedding output and every layer's output, each [n, hiddenSize]. */
export function encode(
  weights: Weights,
  inputs: ForwardInputs,
  settings: EncoderSettings,
  firstPosition: number,
): Tensor[] {
  const { dimensions, norm, feedForward } = settings;
  const table = 'embeddings.tokenType.weight';
  const embedded = weights.embedding([
    ...tokenLookups(inputs, settings.positions - firstPosition, firstPosition),
    inputs.tokenTypeIds ? { table, rows: inputs.tokenTypeIds } : { table, start: 0, count: 1 },
  ]);
  requireUnpadded(inputs);
  const { attentionMask } = inputs;
  const padding = attentionMask && paddingMask(attentionMask);
  return runLayers(postNormLayer, weights, norm(weights, 'embeddings.norm', embedded), {
    batchSize: inputs.batchSize,
    sequenceLength: inputs.sequenceLength,
    numHiddenLayers: dimensions.numHiddenLayers,
    numAttentionHeads: dimensions.numAttentionHeads,
    norm,
    feedForward,
    ...(padding && { mask: () => () => padding }),
    ...(inputs.partial && { partial: inputs.partial }),
  });
}
