import type { Note } from '../../errors';
import { shortJson } from '../../format';
import { add } from '../../graph';
import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import { activation } from '../blocks/activations';
import { causalMask, paddingMask } from '../blocks/attention';
import { gatedFeedForward, plainFeedForward } from '../blocks/feedForward';
import { parallelLayer, preNormLayer, runLayers } from '../blocks/layers';
import { layerNorm, rmsNorm } from '../blocks/norms';
import { rotary } from '../blocks/positions';
import { partialRotaryFactor, ropeOf } from '../blocks/rope';
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
  type FusedStorage,
  type LayerModule,
  type LayerModules,
  type SpaceSizes,
} from '../declare';
import type { ModuleKind, Parameter, Space, SpaceRole } from '../parameter';
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

/** Which modules of a layer have biases; none where absent. */
export interface Biases {
  readonly queriesKeysValues?: boolean;
  readonly attentionOutput?: boolean;
  readonly feedForward?: boolean;
}

/** Where the parts of a decoder lie in a file. */
export interface DecoderNames {
  /** Before everything but the head. */
  readonly prefix: string;
  readonly words: string;
  readonly finalNorm: string;
  /** The head's table. */
  readonly output: string;
  /** Modules of a layer, without its number. */
  readonly modules: Readonly<Record<Exclude<ModuleKind, 'gate'>, string>> & {
    readonly gate?: string;
  };
}

/** Llama's names, which most others have too. */
export const llamaNames: DecoderNames = {
  prefix: 'model.',
  words: 'embed_tokens.weight',
  finalNorm: 'norm',
  output: 'lm_head.weight',
  modules: {
    q: 'self_attn.q_proj',
    k: 'self_attn.k_proj',
    v: 'self_attn.v_proj',
    qNorm: 'self_attn.q_norm',
    kNorm: 'self_attn.k_norm',
    o: 'self_attn.o_proj',
    ln1: 'input_layernorm',
    gate: 'mlp.gate_proj',
    fc1: 'mlp.up_proj',
    fc2: 'mlp.down_proj',
    ln2: 'post_attention_layernorm',
  },
};

/**
 * A decoder as it sets itself apart from Llama: layers that normalise by RMSNorm what branches read,
 * rotary positions, heads that may share keys and values, gated units.
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
    /** Default 10,000. */
    readonly ropeTheta?: number;
    /** Default silu. */
    readonly activation?: string;
    /** Default false. */
    readonly tied?: boolean;
    /** Default 0.02. */
    readonly initializerRange?: number;
    /** Default none. */
    readonly padding?: number;
  };
  readonly names?: DecoderNames;
  /** What normalises, and the field of its ε with the family's default. Default RMSNorm. */
  readonly norm?: {
    readonly kind: Architecture['normKind'];
    readonly field: string;
    readonly epsilon: number;
  };
  /** Whether a gate multiplies what enters the feed-forward space; it does by default. */
  readonly gated?: boolean;
  /** Whether both branches of a layer read its input. Default false. */
  readonly parallel?: (config: ModelConfig) => boolean;
  /**
   * How queries, keys and values share a tensor: one after the other, as gate and fc1 do then, or head
   * by head. Default not at all.
   */
  readonly fuses?: 'modules' | 'heads';
  /** Whether it rotates a part of each head where config.json says so. Default false: all of it. */
  readonly turnsParts?: boolean;
  /** config.json with RoPE's fields under their usual names. */
  readonly ropeFields?: (config: ModelConfig) => ModelConfig;
  /** By layer, whether heads are rotated. Default in all. */
  readonly rotates?: (config: ModelConfig, layers: number) => readonly boolean[];
  /** Heads over the final norm's output. */
  readonly taskHeads?: (className: string) => readonly TaskHead[];
  /** Default none. */
  readonly biases?: (config: ModelConfig) => Biases;
  /** Whether heads may share keys and values, and have a size of their own. Default true. */
  readonly sharesKeys?: boolean;
  /** Whether each head of queries and keys is normalised. Default false. */
  readonly normsHeads?: boolean;
  /** How many tokens back each layer sees; all where undefined. */
  readonly window?: (config: ModelConfig) => number | undefined;
  /** Values of fields that would make it compute something else. */
  readonly refusals?: readonly Refusal[];
  /** config.json at a new number of layers, beyond its sizes. */
  readonly resized?: (config: ModelConfig, layers: number) => ModelConfig;
}

const dimensionNames = ({ sharesKeys = true }: Decoder): DimensionNames => ({
  ...commonDimensionNames,
  ...(sharesKeys && { numKeyValueHeads: 'num_key_value_heads', headDim: 'head_dim' }),
});

const usualNorm = { kind: 'RMSNorm', field: 'rms_norm_eps', epsilon: 1e-6 } as const;

/** The family that a decoder makes. */
export function decoderFamily(decoder: Decoder): Family {
  const { modelType, className, defaults, refusals = [], names = llamaNames } = decoder;
  return {
    modelType,
    className: new RegExp(`^${className}(Model|For[A-Z]|$)`),
    prefix: names.prefix,
    // Tensors of one decoder look like those of any other: without a name they are taken for none.
    signature: /(?!)/,
    layerNumber: /^layers\.(\d+)\./,
    twins: prefix => [[names.output, prefix + names.words]],
    build(config, file) {
      refuseFields(config, [...commonRefusals, ...refusals]);
      const {
        tied,
        config: written,
        notes,
      } = tieOf(config, file, names.output, defaults.tied ?? false);
      const variant = variantOf(decoder, written, file, tied);
      const bare = variant.task ? [] : [`${className}Model`];
      const named = withClass(written, variant.modelClass, bare);
      return {
        architecture: buildModel(decoder, named.config, variant),
        notes: [...notes, ...named.notes, ...variant.besides, ...notesOnParts(decoder, config)],
      };
    },
  };
}

/** Says so where config.json wants a part of each head rotated and the family rotates all of it. */
function notesOnParts({ turnsParts = false }: Decoder, config: ModelConfig): Note[] {
  const part = partialRotaryFactor(config);
  if (turnsParts || part === 1) return [];
  return [
    {
      message: `config.json's partial_rotary_factor (${shortJson(part)}) is not read in this family, here as in transformers: heads are rotated as a whole.`,
      remedy: 'Remove it, or check that config.json belongs to these weights.',
    },
  ];
}

/** Those of most decoders (`modeling_layers.py`). */
const usualTaskHeads = (className: string): readonly TaskHead[] => [
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
  { className, names = llamaNames, taskHeads = usualTaskHeads }: Decoder,
  config: ModelConfig,
  file: StoredNames,
  tied: boolean,
): Variant {
  const [bareClass, headClass] = [`${className}Model`, `${className}ForCausalLM`];
  const classes = classNames(config);
  const task = taskHeadIn(taskHeads(className), config, file, [headClass, bareClass]);
  const hasHead = file.has(names.output) || classes.includes(headClass);
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

/** The rows of queries, keys and values, and of gate and fc1, in tensors that they share. */
function fusedRows(
  fuses: Decoder['fuses'],
  dimensions: Dimensions,
): Partial<Record<ModuleKind, FusedStorage>> {
  const headSize = headSizeOf(dimensions);
  const queries = dimensions.numAttentionHeads * headSize;
  const keys = keyValueHeadsOf(dimensions) * headSize;
  if (fuses === 'heads') {
    const runs = { length: headSize, every: 3 * headSize };
    const part = (index: number) => ({ total: 3 * queries, offset: index * headSize, runs });
    return { q: part(0), k: part(1), v: part(2) };
  }
  if (fuses === undefined) return {};
  const { intermediateSize: units } = dimensions;
  const total = queries + 2 * keys;
  return {
    q: { total, offset: 0 },
    k: { total, offset: queries },
    v: { total, offset: queries + keys },
    gate: { total: 2 * units, offset: 0 },
    fc1: { total: 2 * units, offset: units },
  };
}

/** The modules of a layer; heads of queries and keys are rotated, so that they only mix as a whole. */
function layerModules(
  { names = llamaNames, norm = usualNorm, normsHeads = false, gated = true, fuses }: Decoder,
  dimensions: Dimensions,
  { queriesKeysValues = false, attentionOutput = false, feedForward = false }: Biases,
): LayerModules {
  const { modules } = names;
  const spread = { times: headSizeOf(dimensions), run: 1 };
  const rows = fusedRows(fuses, dimensions);
  const linear = (kind: ModuleKind, bias: boolean, axes: Pick<LayerModule, 'out' | 'in'> = {}) => ({
    name: modules[kind]!,
    bias,
    ...axes,
    ...(rows[kind] && { fused: rows[kind] }),
  });
  const normBias = norm.kind === 'LayerNorm';
  return {
    q: linear('q', queriesKeysValues, { out: { role: 'query', spread } }),
    k: linear('k', queriesKeysValues, { out: { role: 'key', spread } }),
    v: linear('v', queriesKeysValues),
    ...(normsHeads && {
      qNorm: { name: modules.qNorm, bias: normBias },
      kNorm: { name: modules.kNorm, bias: normBias },
    }),
    o: linear('o', attentionOutput, { in: mixedValues(dimensions) }),
    ln1: { name: modules.ln1, bias: normBias },
    ...(gated && { gate: linear('gate', feedForward) }),
    fc1: linear('fc1', feedForward),
    fc2: linear('fc2', feedForward),
    ln2: { name: modules.ln2, bias: normBias },
  };
}

function declareParameters(
  { names = llamaNames, norm = usualNorm }: Decoder,
  sizes: SpaceSizes,
  { prefix, head, task }: Variant,
  { numHiddenLayers }: Dimensions,
  { modules, padding }: { readonly modules: LayerModules; readonly padding: number | undefined },
): Parameter[] {
  const words = prefix + names.words;
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
      ...(head === 'tied' && { readAs: [words, names.output] }),
    }),
    ...layers.flat(),
    ...declareModule(
      sizes,
      { id: 'final.norm', stage: 'final', out: space('residual') },
      { name: prefix + names.finalNorm, bias: norm.kind === 'LayerNorm' },
    ),
    ...(head === 'untied'
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.weight',
            module: 'linear',
            stage: 'head',
            tensor: names.output,
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
  const { defaults, normsHeads = false, gated = true, norm: normOf = usualNorm } = decoder;
  const { task, head, modelClass } = variant;
  const dimensions = dimensionFields(config, dimensionNames(decoder), defaults);
  const vocabularySize = defaultedSize(config, 'vocab_size', defaults.vocabularySize);
  const positions = defaultedSize(config, 'max_position_embeddings', defaults.positions);
  const epsilon = epsilonField(config, normOf.field, normOf.epsilon);
  const norm = normOf.kind === 'LayerNorm' ? layerNorm(epsilon) : rmsNorm(epsilon);
  const named = activation(textField(config, 'hidden_act', defaults.activation ?? 'silu'));
  const feedForward = gated ? gatedFeedForward(named) : plainFeedForward(named);
  const layer = decoder.parallel?.(config) ? parallelLayer : preNormLayer;
  const rope = ropeOf(decoder.ropeFields?.(config) ?? config, {
    headSize: headSizeOf(dimensions),
    positions,
    turnsParts: decoder.turnsParts ?? false,
    ...(defaults.ropeTheta !== undefined && { defaultTheta: defaults.ropeTheta }),
  });
  const window = decoder.window?.(config);
  const rotated = decoder.rotates?.(config, dimensions.numHiddenLayers);
  const spaceSizes = spaceSizesOf(dimensions, vocabularySize, task && outputsOf(task, config));
  const pad = config['pad_token_id'] === undefined ? defaults.padding : config['pad_token_id'];
  const padding = typeof pad === 'number' ? pad : undefined;
  const modules = layerModules(decoder, dimensions, decoder.biases?.(config) ?? {});
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
    normKind: normOf.kind,
    ...(rotated?.includes(false) && { layerTypes: rotated.map(String) }),
    initializerRange: initializerRange(config, defaults.initializerRange),
    spaceSizes,
    parameters: declareParameters(decoder, spaceSizes, variant, dimensions, { modules, padding }),
    forward(weights, inputs) {
      if (head === 'none' && !isComputed(task)) {
        throw missingHead(modelClass, `${decoder.className}ForCausalLM`);
      }
      requireUnpadded(inputs);
      const { batchSize, sequenceLength, attentionMask } = inputs;
      const padding = attentionMask && paddingMask(attentionMask);
      const lookups = wordLookup(inputs, positions);
      const states = runLayers(layer, weights, weights.embedding(lookups), {
        batchSize,
        sequenceLength,
        numHiddenLayers: dimensions.numHiddenLayers,
        numAttentionHeads: dimensions.numAttentionHeads,
        numKeyValueHeads: keyValueHeadsOf(dimensions),
        norm,
        normsHeads,
        feedForward,
        rotate: rotary(rope(sequenceLength), { batchSize, sequenceLength }),
        ...(rotated && { rotates: index => rotated[index]! }),
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
      const sized = resizedFields(config, dimensionNames(decoder), checkedTarget(target));
      const { numHiddenLayers } = target;
      return buildModel(decoder, decoder.resized?.(sized, numHiddenLayers) ?? sized, variant);
    },
  };
}
