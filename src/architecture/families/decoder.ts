import type { Note } from '../../errors';
import { add } from '../../graph';
import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import { activation } from '../blocks/activations';
import { causalMask, paddingMask } from '../blocks/attention';
import { gatedFeedForward } from '../blocks/feedForward';
import { preNormLayer, runLayers } from '../blocks/layers';
import { rmsNorm } from '../blocks/norms';
import { rotary } from '../blocks/positions';
import { ropeOf } from '../blocks/rope';
import {
  classNames,
  defaultedSize,
  dimensionFields,
  epsilonField,
  headSizeOf,
  initializerRange,
  keyValueHeadsOf,
  textField,
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
import type { Parameter, Space, SpaceRole } from '../parameter';
import { commonDimensionNames, resizedFields } from './dimensionNames';
import { withZeroRow } from './encoder';
import {
  checkedTarget,
  commonRefusals,
  missingHead,
  refuseFields,
  tieOf,
  type Family,
  type Refusal,
  type StoredNames,
} from './family';
import {
  besideLanguageModel,
  classifier,
  isComputed,
  notesOnBeside,
  outputsOf,
  taskHeadIn,
  taskObjective,
  taskParameters,
  taskReadout,
  withClass,
  type TaskHead,
} from './taskHeads';
import { requireUnpadded, selectRows, wordLookup } from './tokens';

/** Which modules of a layer have biases. */
export interface Biases {
  readonly queriesKeysValues: boolean;
  readonly attentionOutput: boolean;
  readonly feedForward: boolean;
}

/**
 * A decoder of Llama's kind as it sets itself apart from the others: layers that normalise by RMSNorm
 * what branches read, rotary positions, heads that may share keys and values, gated units.
 */
export interface Decoder {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** What the family's classes begin with: `Llama` of `LlamaForCausalLM`. */
  readonly className: string;
  /** What its config class takes where config.json says nothing. */
  readonly defaults: DefaultSizes & {
    readonly vocabularySize: number;
    readonly positions: number;
    readonly ropeTheta?: number;
  };
  /** Default none. */
  readonly biases?: (config: ModelConfig) => Biases;
  /** Whether each head of queries and keys is normalised. Default false. */
  readonly normsHeads?: boolean;
  /** How many tokens back each layer sees; all where undefined. */
  readonly window?: (config: ModelConfig) => number | undefined;
  /** Values of fields that would make it compute something else. */
  readonly refusals?: readonly Refusal[];
  /** config.json at a new number of layers, beyond its sizes. */
  readonly resized?: (config: ModelConfig, layers: number) => ModelConfig;
}

const names: DimensionNames = {
  ...commonDimensionNames,
  numKeyValueHeads: 'num_key_value_heads',
  headDim: 'head_dim',
};

const outputTable = 'lm_head.weight';
const wordTable = (prefix: string): string => `${prefix}embed_tokens.weight`;

const noBiases: Biases = {
  queriesKeysValues: false,
  attentionOutput: false,
  feedForward: false,
};

/** The family that a decoder makes. */
export function decoderFamily(decoder: Decoder): Family {
  const { modelType, className, refusals = [] } = decoder;
  return {
    modelType,
    className: new RegExp(`^${className}(Model|For[A-Z]|$)`),
    prefix: 'model.',
    // Tensors of one decoder look like those of any other: without a name they are taken for none.
    signature: /(?!)/,
    layerNumber: /^layers\.(\d+)\./,
    twins: prefix => [[outputTable, wordTable(prefix)]],
    build(config, file) {
      refuseFields(config, [...commonRefusals, ...refusals]);
      const { tied, config: written, notes } = tieOf(config, file, outputTable, false);
      const variant = variantOf(decoder, written, file, tied);
      const bare = variant.task ? [] : [`${className}Model`];
      const named = withClass(written, variant.modelClass, bare);
      return {
        architecture: buildModel(decoder, named.config, variant),
        notes: [...notes, ...named.notes, ...variant.besides],
      };
    },
  };
}

/** Heads over the final norm's output (`modeling_layers.py`). */
const taskHeads = (className: string): readonly TaskHead[] => [
  {
    modelClass: `${className}ForSequenceClassification`,
    modules: classifier('score', false),
    objective: { name: 'sequence-classification', token: 'last' },
  },
  {
    modelClass: `${className}ForTokenClassification`,
    modules: classifier('score'),
    objective: { name: 'token-classification' },
  },
];

/** What the file decides and a resized model keeps. */
interface Variant {
  readonly prefix: string;
  readonly task: TaskHead | undefined;
  readonly head: Architecture['head'];
  readonly modelClass: string;
  /** What is said of a classifier that is not learned with. */
  readonly besides: readonly Note[];
}

function variantOf(
  { className }: Decoder,
  config: ModelConfig,
  file: StoredNames,
  tied: boolean,
): Variant {
  const [bareClass, headClass] = [`${className}Model`, `${className}ForCausalLM`];
  const classes = classNames(config);
  const task = taskHeadIn(taskHeads(className), config, file, [headClass, bareClass]);
  const hasHead = file.has(outputTable) || classes.includes(headClass);
  const isTied = tied && (task === undefined || hasHead);
  const head = isTied ? 'tied' : hasHead ? 'untied' : 'none';
  const isBare = classes.includes(bareClass) || head === 'none';
  return {
    prefix: file.prefix,
    head,
    task: task && head !== 'none' ? besideLanguageModel(task) : task,
    modelClass: task?.modelClass ?? (isBare ? bareClass : headClass),
    besides: notesOnBeside(task, head),
  };
}

/** What o reads: the values, each once for every head that shares it; heads where all share one. */
function mixedValues(dimensions: Dimensions): Space {
  const { numAttentionHeads } = dimensions;
  const [headSize, shared] = [headSizeOf(dimensions), keyValueHeadsOf(dimensions)];
  if (shared === numAttentionHeads) return { role: 'value' };
  if (shared === 1) return { role: 'query', spread: { times: headSize, run: 1 } };
  return { role: 'value', spread: { times: numAttentionHeads / shared, run: headSize } };
}

/** Where each module lies; heads of queries and keys are rotated, so that they only mix as a whole. */
function layerModules(
  { normsHeads = false }: Decoder,
  dimensions: Dimensions,
  { queriesKeysValues, attentionOutput, feedForward }: Biases,
): LayerModules {
  const spread = { times: headSizeOf(dimensions), run: 1 };
  const bias = queriesKeysValues;
  return {
    q: { name: 'self_attn.q_proj', bias, out: { role: 'query', spread } },
    k: { name: 'self_attn.k_proj', bias, out: { role: 'key', spread } },
    v: { name: 'self_attn.v_proj', bias },
    ...(normsHeads && {
      qNorm: { name: 'self_attn.q_norm', bias: false },
      kNorm: { name: 'self_attn.k_norm', bias: false },
    }),
    o: { name: 'self_attn.o_proj', bias: attentionOutput, in: mixedValues(dimensions) },
    ln1: { name: 'input_layernorm', bias: false },
    gate: { name: 'mlp.gate_proj', bias: feedForward },
    fc1: { name: 'mlp.up_proj', bias: feedForward },
    fc2: { name: 'mlp.down_proj', bias: feedForward },
    ln2: { name: 'post_attention_layernorm', bias: false },
  };
}

function declareParameters(
  sizes: SpaceSizes,
  { prefix, head, task }: Variant,
  { numHiddenLayers }: Dimensions,
  { modules, padding }: { readonly modules: LayerModules; readonly padding: number | undefined },
): Parameter[] {
  const words = wordTable(prefix);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(sizes, { layer, prefix: `${prefix}layers.${layer}.` }, modules),
  );
  const axes = [space('vocabulary'), space('residual')];
  return [
    declareParameter(sizes, {
      id: 'embeddings.word.weight',
      tensor: words,
      module: 'table',
      stage: 'embedding',
      draw: withZeroRow(padding, sizes.get('vocabulary')!),
      spaces: axes,
      ...(head === 'tied' && { readAs: [words, outputTable] }),
    }),
    ...layers.flat(),
    ...declareModule(
      sizes,
      { id: 'final.norm', stage: 'final', out: space('residual') },
      { name: `${prefix}norm`, bias: false },
    ),
    ...(head === 'untied'
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.weight',
            module: 'linear',
            stage: 'head',
            tensor: outputTable,
            spaces: axes,
          }),
        ]
      : []),
    ...(task ? taskParameters(sizes, task) : []),
  ];
}

/** Sizes of the spaces: of queries and keys in heads, of values in units. */
function spaceSizesOf(
  dimensions: Dimensions,
  vocabularySize: number,
  classes: number | undefined,
): Map<SpaceRole, number> {
  const [headSize, shared] = [headSizeOf(dimensions), keyValueHeadsOf(dimensions)];
  return new Map<SpaceRole, number>([
    ['vocabulary', vocabularySize],
    ['residual', dimensions.hiddenSize],
    ['query', dimensions.numAttentionHeads],
    ['key', shared],
    ['value', shared * headSize],
    ['headDim', headSize],
    ['ffn', dimensions.intermediateSize],
    ...(classes === undefined ? [] : [['class', classes] as const]),
  ]);
}

function buildModel(decoder: Decoder, config: ModelConfig, variant: Variant): Architecture {
  const { defaults, normsHeads = false, biases, window: windowOf } = decoder;
  const { task, head, modelClass } = variant;
  const dimensions = dimensionFields(config, names, defaults);
  const vocabularySize = defaultedSize(config, 'vocab_size', defaults.vocabularySize);
  const positions = defaultedSize(config, 'max_position_embeddings', defaults.positions);
  const norm = rmsNorm(epsilonField(config, 'rms_norm_eps', 1e-6));
  const feedForward = gatedFeedForward(activation(textField(config, 'hidden_act', 'silu')));
  const rope = ropeOf(config, {
    headSize: headSizeOf(dimensions),
    positions,
    ...(defaults.ropeTheta !== undefined && { defaultTheta: defaults.ropeTheta }),
  });
  const window = windowOf?.(config);
  const spaceSizes = spaceSizesOf(dimensions, vocabularySize, task && outputsOf(task, config));
  const pad = config['pad_token_id'];
  const padding = typeof pad === 'number' ? pad : undefined;
  const modules = layerModules(decoder, dimensions, biases?.(config) ?? noBiases);
  return {
    family: decoder.modelType,
    modelClass,
    ...((task && taskObjective(task, config)) ?? {
      objective: 'causal-language-modeling',
      head,
    }),
    config,
    accepts: { kind: 'tokens', vocabularySize, longestSequence: positions },
    leadingTokens: 0,
    dimensions,
    normPlacement: 'pre',
    normKind: 'RMSNorm',
    initializerRange: initializerRange(config),
    spaceSizes,
    parameters: declareParameters(spaceSizes, variant, dimensions, { modules, padding }),
    forward(weights, inputs) {
      if (head === 'none' && !isComputed(task)) {
        throw missingHead(modelClass, `${decoder.className}ForCausalLM`);
      }
      requireUnpadded(inputs);
      const { batchSize, sequenceLength, attentionMask } = inputs;
      const padding = attentionMask && paddingMask(attentionMask);
      const lookups = wordLookup(inputs, positions);
      const states = runLayers(preNormLayer, weights, weights.embedding(lookups), {
        batchSize,
        sequenceLength,
        numHiddenLayers: dimensions.numHiddenLayers,
        numAttentionHeads: dimensions.numAttentionHeads,
        numKeyValueHeads: keyValueHeadsOf(dimensions),
        norm,
        normsHeads,
        feedForward,
        rotate: rotary(rope(sequenceLength), { batchSize, sequenceLength }),
        mask: length =>
          padding ? add(causalMask(length, window), padding) : causalMask(length, window),
        ...(inputs.partial && { partial: inputs.partial }),
      });
      const last = states.at(-1)!;
      const table = head === 'tied' ? 'embeddings.word.weight' : 'head.decoder.weight';
      return {
        hiddenStates: [...states.slice(0, -1), norm(weights, 'final.norm', last)],
        readout(rows) {
          // Rows are chosen before the norm, so that it runs on no more than are read.
          const features = norm(weights, 'final.norm', selectRows(last, rows));
          if (isComputed(task)) return taskReadout(weights, task, features);
          return weights.readout(features, table, undefined);
        },
      };
    },
    resized: target => {
      const sized = resizedFields(config, names, checkedTarget(target));
      const { numHiddenLayers } = target;
      return buildModel(decoder, decoder.resized?.(sized, numHiddenLayers) ?? sized, variant);
    },
  };
}
