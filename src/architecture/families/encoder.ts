import { activation } from '../blocks/activations';
import { paddingMask } from '../blocks/attention';
import type { Dimensions, ForwardInputs, ModelConfig } from '../architecture';
import {
  defaultedSize,
  dimensionFields,
  epsilonField,
  textField,
  usualSizes,
  type DefaultSizes,
  type DimensionNames,
} from '../configFields';
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
import { linear } from '../blocks/linear';
import { layerNorm, type Norm } from '../blocks/norms';
import type { Tensor } from '../../graph';
import type { Draw, Parameter, Space, SpaceRole } from '../parameter';
import type { Lookup, Weights } from '../weights';
import { commonDimensionNames } from './dimensionNames';
import type { notesOnUnread } from './fieldNames';
import { requireUnpadded, tokenLookups } from './tokens';

/** BERT's encoder as config.json describes it. */
export interface EncoderSettings {
  readonly dimensions: Dimensions;
  readonly vocabularySize: number;
  readonly positions: number;
  /** 0 where the model has no table of them. */
  readonly tokenTypes: number;
  /** Of a table's rows, where a projection makes hidden units of them; as many as these where absent. */
  readonly embeddingSize?: number;
  readonly norm: Norm;
  readonly feedForward: FeedForward;
}

/** What config.json calls the settings of an encoder, and what they are where it does not say. */
export interface EncoderFields {
  readonly dimensions: DimensionNames;
  readonly sizes: DefaultSizes;
  readonly vocabularySize: number;
  readonly activation: string;
  /** Default 1e-12 throughout. */
  readonly epsilon?: string;
  /** Absent where there are no token types. */
  readonly tokenTypes?: string;
  /** The size of a table's rows where it may be another than the hidden size, and its default. */
  readonly embedding?: { readonly field: string; readonly otherwise: number };
}

/** BERT's. */
export const bertFields: EncoderFields = {
  dimensions: commonDimensionNames,
  sizes: usualSizes,
  vocabularySize: 30522,
  activation: 'hidden_act',
  epsilon: 'layer_norm_eps',
  tokenTypes: 'type_vocab_size',
};

/** Reads what configs of BERT and those like it have in common. */
export function encoderSettings(config: ModelConfig, fields: EncoderFields): EncoderSettings {
  const { epsilon, tokenTypes, embedding } = fields;
  const dimensions = dimensionFields(config, fields.dimensions, fields.sizes);
  const embeddingSize = embedding && defaultedSize(config, embedding.field, embedding.otherwise);
  const isProjected = embeddingSize !== undefined && embeddingSize !== dimensions.hiddenSize;
  return {
    dimensions,
    vocabularySize: defaultedSize(config, 'vocab_size', fields.vocabularySize),
    positions: defaultedSize(config, 'max_position_embeddings', 512),
    tokenTypes: tokenTypes === undefined ? 0 : defaultedSize(config, tokenTypes, 2),
    ...(isProjected && { embeddingSize }),
    norm: layerNorm(epsilon === undefined ? 1e-12 : epsilonField(config, epsilon, 1e-12)),
    feedForward: plainFeedForward(activation(textField(config, fields.activation, 'gelu'))),
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
    ...(settings.tokenTypes > 0 ? [['tokenType', settings.tokenTypes] as const] : []),
    ...(settings.embeddingSize === undefined
      ? []
      : [['embedding', settings.embeddingSize] as const]),
    ['residual', hiddenSize],
    ['query', hiddenSize],
    ['key', hiddenSize],
    ['value', hiddenSize],
    ['ffn', intermediateSize],
  ]);
}

/** Where the parts of an encoder lie in a file, behind its prefix. */
export interface EncoderNames {
  /** Before the number of a layer. */
  readonly layers: string;
  readonly modules: LayerModules;
}

/** BERT's. */
export const bertNames: EncoderNames = {
  layers: 'encoder.layer.',
  modules: {
    q: { name: 'attention.self.query' },
    k: { name: 'attention.self.key' },
    v: { name: 'attention.self.value' },
    o: { name: 'attention.output.dense' },
    ln1: { name: 'attention.output.LayerNorm' },
    fc1: { name: 'intermediate.dense' },
    fc2: { name: 'output.dense' },
    ln2: { name: 'output.LayerNorm' },
  },
};

/** Tensor name of the word embeddings. */
export const wordTable = (prefix: string): string => `${prefix}embeddings.word_embeddings.weight`;

/** The space that tables write: the residual stream, or one of their own before a projection. */
export const embeddingSpace = (sizes: SpaceSizes): Space =>
  space(sizes.has('embedding') ? 'embedding' : 'residual');

type EncoderTable = 'word' | 'position' | 'tokenType';

const projection = 'embeddings.projection';

/** What sets the tables of one encoder apart from another's. */
export interface EncoderTables {
  readonly names: EncoderNames;
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
  { names, outputTable, padding }: EncoderTables,
): Parameter[] {
  const embedding = embeddingSpace(sizes);
  const table = (id: EncoderTable, role: SpaceRole, tensor: string, readAs?: string[]): Parameter =>
    declareParameter(sizes, {
      id: `embeddings.${id}.weight`,
      module: 'table',
      stage: 'embedding',
      draw: padding.tables.includes(id) ? withZeroRow(padding.row, sizes.get(role)!) : undefined,
      tensor,
      spaces: [space(role), embedding],
      ...(readAs && { readAs }),
    });
  const words = wordTable(prefix);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(sizes, { layer, prefix: `${prefix}${names.layers}${layer}.` }, names.modules),
  );
  return [
    table(
      'word',
      'vocabulary',
      words,
      outputTable === undefined ? undefined : [words, outputTable],
    ),
    table('position', 'position', `${prefix}embeddings.position_embeddings.weight`),
    ...(sizes.has('tokenType')
      ? [table('tokenType', 'tokenType', `${prefix}embeddings.token_type_embeddings.weight`)]
      : []),
    ...declareModule(
      sizes,
      { id: 'embeddings.norm', stage: 'embedding', out: embedding },
      { name: `${prefix}embeddings.LayerNorm` },
    ),
    ...(sizes.has('embedding')
      ? declareModule(
          sizes,
          { id: projection, stage: 'embedding', out: space('residual'), in: embedding },
          { name: `${prefix}embeddings_project` },
        )
      : []),
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
  const types: Lookup = inputs.tokenTypeIds
    ? { table, rows: inputs.tokenTypeIds }
    : { table, start: 0, count: 1 };
  const embedded = weights.embedding([
    ...tokenLookups(inputs, settings.positions - firstPosition, firstPosition),
    ...(settings.tokenTypes > 0 ? [types] : []),
  ]);
  const normalised = norm(weights, 'embeddings.norm', embedded);
  const input =
    settings.embeddingSize === undefined ? normalised : linear(weights, projection, normalised);
  requireUnpadded(inputs);
  const { attentionMask } = inputs;
  const padding = attentionMask && paddingMask(attentionMask);
  return runLayers(postNormLayer, weights, input, {
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
