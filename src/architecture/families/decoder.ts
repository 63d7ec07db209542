import { CorruptFileError, type Note } from '../../errors';
import { counted, shortJson } from '../../format';
import { add, constant, mul, type Tensor } from '../../graph';
import type { Architecture, Dimensions, ForwardInputs, ModelConfig } from '../architecture';
import { activation } from '../blocks/activations';
import { bothMasks, causalMask, localMask, paddingMask } from '../blocks/attention';
import { gatedFeedForward, plainFeedForward } from '../blocks/feedForward';
import {
  outputNormLayer,
  parallelLayer,
  postNormLayer,
  preNormLayer,
  runLayers,
  sandwichLayer,
  type Layer,
  type NormalisedHeads,
  type OfLayer,
} from '../blocks/layers';
import { linear } from '../blocks/linear';
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
  periodOf,
  sizeField,
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
import type { Draw, ModuleKind, Parameter, Space, SpaceRole } from '../parameter';
import type { Weights } from '../weights';
import { commonDimensionNames, resizedFields } from './dimensionNames';
import { embeddingSpace, withZeroRow } from './encoder';
import {
  checkedTarget,
  commonRefusals,
  equalToWords,
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
import { requireUnpadded, selectRows, tokenLookups, wordLookup } from './tokens';

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
  /** Before the number of a layer. Default `layers.`. */
  readonly layers?: string;
  /** A table of positions, in place of rotation. */
  readonly positions?: string;
  readonly words: string;
  readonly finalNorm: string;
  /** The head's table. */
  readonly output: string;
  /** Modules of a layer, without its number. */
  readonly modules: Readonly<
    Record<Exclude<ModuleKind, 'ln1Out' | 'ln2Out' | 'scale1' | 'scale2'>, string>
  > & {
    readonly ln1Out?: string;
    readonly ln2Out?: string;
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
  /** What config.json calls the sizes, where it is not as usual. */
  readonly sizeNames?: Partial<DimensionNames>;
  /** What the family's classes begin with: `Llama` of `LlamaForCausalLM`. */
  readonly className: string;
  /** The class without a head, where it is not called so with `Model` behind. */
  readonly bareClass?: string;
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
    /** Absent where config.json does not say. */
    readonly field?: string;
    readonly epsilon: number;
    /** What the file leaves out of the weights: 1 where norms multiply by 1 + weight. Default nothing. */
    readonly plus?: number;
  };
  /** What its layers normalise. Default what branches read. */
  readonly normPlacement?: (config: ModelConfig) => Architecture['normPlacement'];
  /** Whether a norm stands behind the last layer. Default true. */
  readonly hasFinalNorm?: (config: ModelConfig) => boolean;
  /** Whether norms have biases. Default what is usual for their kind. */
  readonly normBias?: (config: ModelConfig) => boolean;
  /** A norm of words, whose result the first layer's attention reads as it is. Default none. */
  readonly wordNorm?: string;
  /** The head of a model that fills in masked tokens, and sees those behind a token too. Default none. */
  readonly maskedHead?: MaskedHead;
  /** How what branches give back is drawn, and all the other matrices, where not as usual. */
  readonly draws?: (layers: number) => { readonly giving: Draw; readonly others: Draw };
  /** Rows of its position table before the first position's, where it has one in place of rotation. */
  readonly positionsFrom?: number;
  /** The field of a word's length where projections stand between words and layers, and their names. */
  readonly wordProjections?: { readonly field: string; readonly in: string; readonly out: string };
  /** The field of `initializer_range`, where it is called otherwise. */
  readonly rangeField?: string;
  /** Whether rows of the word table enter the network √hiddenSize times as large. Default false. */
  readonly scalesWords?: boolean;
  /** What products of queries and keys are multiplied by. Default 1/√headSize. */
  readonly attentionScale?: (config: ModelConfig) => number;
  /** Caps of attention scores and of the head's; none where absent. */
  readonly softCaps?: (config: ModelConfig) => SoftCaps;
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
  /** Lists of config.json with an entry a layer, and what they are where it does not have them. */
  readonly layerLists?: Readonly<Record<string, LayerList>>;
  /** What a layer's entries in those lists make of it. Default nothing. */
  readonly layerKind?: (
    config: ModelConfig,
    entries: Readonly<Record<string, unknown>>,
  ) => LayerKind;
  /** Heads over the final norm's output. */
  readonly taskHeads?: (className: string) => readonly TaskHead[];
  /** Default none. */
  readonly biases?: (config: ModelConfig) => Biases;
  /** Whether heads may share keys and values, and have a size of their own. Default true. */
  readonly sharesKeys?: boolean;
  /** Whether queries and keys are normalised: each head by itself, or all of them together. Default not. */
  readonly normsHeads?: NormalisedHeads;
  /** The activation's name. Default `hidden_act`. */
  readonly activation?: (config: ModelConfig) => string;
  /** Values of fields that would make it compute something else. */
  readonly refusals?: readonly Refusal[];
  /** What a person should know of config.json. */
  readonly notes?: (config: ModelConfig) => readonly Note[];
}

/** What stands between the last norm and the words of a masked language model. */
export interface MaskedHead {
  readonly dense: string;
  readonly norm: string;
  /** Tensor name of the scores' bias. */
  readonly bias: string;
  readonly settings: (config: ModelConfig) => {
    readonly activation: string;
    readonly denseBias: boolean;
    readonly scoreBias: boolean;
  };
}

/** Caps of attention scores and of the head's. */
export interface SoftCaps {
  readonly attention?: number | undefined;
  readonly head?: number | undefined;
}

/** What a list with an entry a layer is where config.json does not have it. */
export type LayerList = (config: ModelConfig, layers: number) => readonly unknown[];

/** What sets a layer apart from others. */
export interface LayerKind {
  /** How many tokens back it sees; all where absent. */
  readonly window?: number;
  /** config.json as RoPE's fields are read for it, or none where it does not rotate. Default config.json. */
  readonly rope?: ModelConfig | 'none';
}

const dimensionNames = ({ sharesKeys = true, sizeNames }: Decoder): DimensionNames => ({
  ...commonDimensionNames,
  ...sizeNames,
  ...(sharesKeys && { numKeyValueHeads: 'num_key_value_heads', headDim: 'head_dim' }),
});

const usualNorm: NonNullable<Decoder['norm']> = {
  kind: 'RMSNorm',
  field: 'rms_norm_eps',
  epsilon: 1e-6,
};

const headClassOf = ({ className, maskedHead }: Decoder): string =>
  `${className}For${maskedHead ? 'MaskedLM' : 'CausalLM'}`;

const bareClassOf = ({ className, bareClass = `${className}Model` }: Decoder): string => bareClass;

/** The family that a decoder makes. */
export function decoderFamily(decoder: Decoder): Family {
  const { modelType, className, defaults, refusals = [], names = llamaNames } = decoder;
  const bareClass = bareClassOf(decoder);
  return {
    modelType,
    className: new RegExp(`^(${className}(Model|For[A-Z]|$)|${bareClass}$)`),
    prefix: names.prefix,
    // Tensors of one decoder look like those of any other: without a name they are taken for none.
    signature: /(?!)/,
    layerNumber: new RegExp(`^${(names.layers ?? 'layers.').replaceAll('.', '\\.')}(\\d+)\\.`),
    twins: prefix => [[names.output, prefix + names.words]],
    build(config, file) {
      refuseFields(config, [...commonRefusals, ...refusals]);
      const {
        tied,
        config: written,
        notes,
      } = tieOf(config, file, names.output, defaults.tied ?? false);
      const variant = variantOf(decoder, written, file, tied);
      const bare = variant.task ? [] : [bareClass];
      const named = withClass(written, variant.modelClass, bare);
      return {
        architecture: buildModel(decoder, named.config, variant),
        notes: [
          ...notes,
          ...named.notes,
          ...variant.besides,
          ...notesOnParts(decoder, config),
          ...(decoder.notes?.(config) ?? []),
        ],
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
export const usualTaskHeads = (className: string): readonly TaskHead[] => [
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
  decoder: Decoder,
  config: ModelConfig,
  file: StoredNames,
  tied: boolean,
): Variant {
  const { className, names = llamaNames, taskHeads = usualTaskHeads } = decoder;
  const [bareClass, headClass] = [bareClassOf(decoder), headClassOf(decoder)];
  const classes = classNames(config);
  const task = taskHeadIn(taskHeads(className), config, file, [headClass, bareClass]);
  const { maskedHead } = decoder;
  const hasHead =
    file.has(names.output) ||
    classes.includes(headClass) ||
    (maskedHead !== undefined && file.has(maskedHead.bias));
  const isTied = tied && (maskedHead ? hasHead : task === undefined || hasHead);
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

/** What the sizes of a decoder's spaces follow from. */
interface SpaceFacts {
  readonly vocabularySize: number;
  readonly classes: number | undefined;
  /** Rows of the position table; undefined where heads are rotated. */
  readonly tableOfPositions: number | undefined;
  /** Of a word, where a projection makes hidden units of it. */
  readonly wordSize: number | undefined;
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

const layersWith: Readonly<Record<Architecture['normPlacement'], Layer>> = {
  pre: preNormLayer,
  post: postNormLayer,
  sandwich: sandwichLayer,
  output: outputNormLayer,
};

/** A list with an entry a layer. Throws CorruptFileError where it has another length. */
function layerList(config: ModelConfig, field: string, layers: number, otherwise: LayerList) {
  const listed = config[field];
  if (!Array.isArray(listed)) return otherwise(config, layers);
  if (listed.length === layers) return listed as readonly unknown[];
  throw new CorruptFileError(
    `config.json: ${field} has ${counted(listed.length, 'entry', 'entries')} for ${counted(layers, 'layer')}.`,
    'Take config.json from the same place and version as the weights beside it.',
  );
}

/** config.json with its lists, their patterns repeated, for another number of layers. */
function withLayerLists(
  { layerLists = {} }: Decoder,
  config: ModelConfig,
  { from, to }: { readonly from: number; readonly to: number },
): ModelConfig {
  if (from === to) return config;
  const lists = Object.entries(layerLists).flatMap(([field, otherwise]) => {
    const list = layerList(config, field, from, otherwise);
    const period = periodOf(list);
    const repeated = Array.from({ length: to }, (_, layer) => list[layer % period]);
    const follows = JSON.stringify(otherwise(config, to)) === JSON.stringify(repeated);
    return follows && !Array.isArray(config[field]) ? [] : [[field, repeated] as const];
  });
  return { ...config, ...Object.fromEntries(lists) };
}

/** What layers of several kinds have, made once for each kind. */
function byKind<Made>(types: readonly string[], make: (layer: number) => Made): OfLayer<Made> {
  const made = new Map<string, Made>();
  return layer => {
    const type = types[layer]!;
    const found = made.has(type) ? made.get(type)! : make(layer);
    made.set(type, found);
    return found;
  };
}

/** The modules of a layer; heads of queries and keys are rotated, so that they only mix as a whole. */
function layerModules(
  decoder: Decoder,
  dimensions: Dimensions,
  {
    normPlacement,
    normBias,
  }: { readonly normPlacement: Architecture['normPlacement']; readonly normBias: boolean },
  { queriesKeysValues = false, attentionOutput = false, feedForward = false }: Biases,
): LayerModules {
  const { names = llamaNames, norm = usualNorm } = decoder;
  const { normsHeads, gated = true, fuses } = decoder;
  const { modules } = names;
  const draws = decoder.draws?.(dimensions.numHiddenLayers);
  const spread = { times: headSizeOf(dimensions), run: 1 };
  const rows = fusedRows(fuses, dimensions);
  const linear = (kind: ModuleKind, bias: boolean, axes: Pick<LayerModule, 'out' | 'in'> = {}) => ({
    name: modules[kind as keyof typeof modules]!,
    bias,
    ...axes,
    ...(rows[kind] && { fused: rows[kind] }),
    ...(draws && { draw: kind === 'o' || kind === 'fc2' ? draws.giving : draws.others }),
  });
  const normOf = (kind: ModuleKind, axes: Pick<LayerModule, 'out'> = {}): LayerModule => ({
    name: modules[kind as keyof typeof modules]!,
    bias: normBias,
    plus: norm.plus,
    ...axes,
  });
  const rotates = names.positions === undefined;
  const [queries, keys] = rotates
    ? ([{ out: { role: 'query', spread } }, { out: { role: 'key', spread } }] as const)
    : [{}, {}];
  const all = normsHeads === 'all';
  const gives = normPlacement === 'sandwich' || normPlacement === 'output';
  const reads = normPlacement !== 'output';
  return {
    q: linear('q', queriesKeysValues, queries),
    k: linear('k', queriesKeysValues, keys),
    v: linear('v', queriesKeysValues),
    ...(normsHeads && {
      qNorm: normOf('qNorm', all ? queries : {}),
      kNorm: normOf('kNorm', all ? keys : {}),
    }),
    o: linear('o', attentionOutput, { in: mixedValues(dimensions) }),
    ...(reads && { ln1: normOf('ln1') }),
    ...(gives && { ln1Out: normOf('ln1Out') }),
    ...(gated && { gate: linear('gate', feedForward) }),
    fc1: linear('fc1', feedForward),
    fc2: linear('fc2', feedForward),
    ...(reads && { ln2: normOf('ln2') }),
    ...(gives && { ln2Out: normOf('ln2Out') }),
  };
}

function declareParameters(
  { names = llamaNames, norm = usualNorm, wordProjections, wordNorm, draws }: Decoder,
  sizes: SpaceSizes,
  { prefix, head, task }: Variant,
  { numHiddenLayers }: Dimensions,
  {
    modules,
    padding,
    finalNorm,
    normBias,
    masked,
  }: {
    readonly modules: LayerModules;
    readonly padding: number | undefined;
    readonly finalNorm: boolean;
    readonly normBias: boolean;
    /** Of the masked language model's head, in the order of the file. */
    readonly masked: readonly Parameter[];
  },
): Parameter[] {
  const firstModules: LayerModules = Object.fromEntries(
    Object.entries(modules).filter(([kind]) => kind !== 'ln1'),
  );
  const words = prefix + names.words;
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(
      sizes,
      { layer, prefix: `${prefix}${names.layers ?? 'layers.'}${layer}.` },
      layer === 0 && wordNorm !== undefined ? firstModules : modules,
    ),
  );
  const word = embeddingSpace(sizes);
  const axes = [space('vocabulary'), word];
  const projections = sizes.has('embedding') ? wordProjections : undefined;
  return [
    declareParameter(sizes, {
      id: 'embeddings.word.weight',
      tensor: words,
      module: 'table',
      stage: 'embedding',
      draw: {
        ...draws?.(numHiddenLayers).others,
        ...withZeroRow(padding, sizes.get('vocabulary')!),
      },
      spaces: axes,
      ...(head === 'tied' && { readAs: [words, names.output] }),
    }),
    ...(names.positions === undefined
      ? []
      : [
          declareParameter(sizes, {
            id: 'embeddings.position.weight',
            module: 'table',
            stage: 'embedding',
            tensor: prefix + names.positions,
            spaces: [space('position'), space('residual')],
          }),
        ]),
    ...(projections
      ? declareModule(
          sizes,
          { id: wordsIn, stage: 'embedding', out: space('residual'), in: word },
          { name: prefix + projections.in, bias: false },
        )
      : []),
    ...(wordNorm === undefined
      ? []
      : declareModule(
          sizes,
          { id: 'embeddings.norm', stage: 'embedding', out: space('residual') },
          { name: prefix + wordNorm, bias: normBias },
        )),
    ...layers.flat(),
    ...(finalNorm
      ? declareModule(
          sizes,
          { id: 'final.norm', stage: 'final', out: space('residual') },
          { name: prefix + names.finalNorm, bias: normBias, plus: norm.plus },
        )
      : []),
    ...(projections
      ? declareModule(
          sizes,
          { id: wordsOut, stage: 'head', out: word, in: space('residual') },
          { name: prefix + projections.out, bias: false },
        )
      : []),
    ...masked,
    ...(head === 'untied'
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.weight',
            module: 'linear',
            stage: 'head',
            tensor: names.output,
            spaces: sizes.has('head') ? [space('vocabulary'), space('head')] : axes,
          }),
        ]
      : []),
    ...(task ? taskParameters(sizes, task) : []),
  ];
}

/** What stands between the last norm and the words of a masked language model. */
function maskedParameters(
  { maskedHead, draws }: Decoder,
  sizes: SpaceSizes,
  config: ModelConfig,
  normBias: boolean,
): Parameter[] {
  if (!maskedHead) return [];
  const { denseBias, scoreBias } = maskedHead.settings(config);
  const width = space(sizes.has('head') ? 'head' : 'residual');
  const draw = draws?.(1).giving;
  return [
    ...declareModule(
      sizes,
      { id: 'head.transform', stage: 'head', out: width, in: space('residual'), draw },
      { name: maskedHead.dense, bias: denseBias },
    ),
    ...declareModule(
      sizes,
      { id: 'head.norm', stage: 'head', out: width },
      { name: maskedHead.norm, bias: normBias },
    ),
    ...(scoreBias
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.bias',
            module: 'linear',
            stage: 'head',
            tensor: maskedHead.bias,
            spaces: [space('vocabulary')],
          }),
        ]
      : []),
  ];
}

/** Ids of what makes hidden units of a word, and a word of hidden units. */
const [wordsIn, wordsOut] = ['embeddings.projection', 'head.projection'];

/** Sizes of the spaces: of queries and keys in heads where these are rotated, of values in units. */
function spaceSizesOf(
  dimensions: Dimensions,
  { vocabularySize, classes, tableOfPositions, wordSize }: SpaceFacts,
): Map<SpaceRole, number> {
  const [headSize, shared] = [headSizeOf(dimensions), keyValueHeadsOf(dimensions)];
  const rotates = tableOfPositions === undefined;
  const unit = rotates ? 1 : headSize;
  return new Map<SpaceRole, number>([
    ['vocabulary', vocabularySize],
    ...(rotates ? [] : [['position', tableOfPositions] as const]),
    ...(wordSize === undefined ? [] : [['embedding', wordSize] as const]),
    ['residual', dimensions.hiddenSize],
    ['query', dimensions.numAttentionHeads * unit],
    ['key', shared * unit],
    ['value', shared * headSize],
    ...(rotates ? [['headDim', headSize] as const] : []),
    ['ffn', dimensions.intermediateSize],
    ...(classes === undefined ? [] : [['class', classes] as const]),
  ]);
}

/** What the layers read: words, as hidden units, and positions where a table has them. */
function embedded(
  weights: Weights,
  inputs: ForwardInputs,
  {
    positions,
    scale,
    firstRow,
    projects,
  }: {
    readonly positions: number;
    readonly scale: number;
    /** Of the position table. */
    readonly firstRow?: number;
    readonly projects: boolean;
  },
): Tensor {
  const words = wordLookup(inputs, positions);
  if (firstRow === undefined) {
    const found = weights.embedding(words);
    return scale === 1 ? found : mul(found, scale);
  }
  if (!projects) return weights.embedding(tokenLookups(inputs, positions, firstRow));
  const { batchSize, sequenceLength } = inputs;
  const rows =
    inputs.positionIds ??
    constant(
      Int32Array.from(
        { length: batchSize * sequenceLength },
        (_, token) => firstRow + (token % sequenceLength),
      ),
    );
  return add(
    linear(weights, wordsIn, weights.embedding(words)),
    weights.embedding([{ table: 'embeddings.position.weight', rows }]),
  );
}

function buildModel(decoder: Decoder, config: ModelConfig, variant: Variant): Architecture {
  const { defaults, normsHeads, gated = true, norm: normOf = usualNorm } = decoder;
  const { layerLists = {}, names = llamaNames, wordProjections, positionsFrom = 0 } = decoder;
  const normPlacement = decoder.normPlacement?.(config) ?? 'pre';
  const finalNorm = decoder.hasFinalNorm?.(config) ?? true;
  const { task, head, modelClass } = variant;
  const dimensions = dimensionFields(config, dimensionNames(decoder), defaults);
  const vocabularySize = defaultedSize(config, 'vocab_size', defaults.vocabularySize);
  const positions = defaultedSize(config, 'max_position_embeddings', defaults.positions);
  const epsilon =
    normOf.field === undefined
      ? normOf.epsilon
      : epsilonField(config, normOf.field, normOf.epsilon);
  const normBias = decoder.normBias?.(config) ?? normOf.kind === 'LayerNorm';
  const norm = normOf.kind === 'LayerNorm' ? layerNorm(epsilon, normBias) : rmsNorm(epsilon);
  const named = activation(
    decoder.activation?.(config) ?? textField(config, 'hidden_act', defaults.activation ?? 'silu'),
  );
  const feedForward = gated ? gatedFeedForward(named) : plainFeedForward(named);
  const layer = decoder.parallel?.(config) ? parallelLayer : layersWith[normPlacement];
  const { numHiddenLayers } = dimensions;
  const lists = Object.entries(layerLists).map(
    ([field, otherwise]) => [field, layerList(config, field, numHiddenLayers, otherwise)] as const,
  );
  const layerEntries = Array.from({ length: numHiddenLayers }, (_, index) =>
    Object.fromEntries(lists.map(([field, list]) => [field, list[index]])),
  );
  const layerTypes = layerEntries.map(entries => Object.values(entries).join(' '));
  const kindOf = byKind(layerTypes, index => {
    const { window, rope = config } = decoder.layerKind?.(config, layerEntries[index]!) ?? {};
    if (rope === 'none' || names.positions !== undefined) return { window };
    const positionsOf = ropeOf(decoder.ropeFields?.(rope) ?? rope, {
      headSize: headSizeOf(dimensions),
      positions,
      turnsParts: decoder.turnsParts ?? false,
      ...(defaults.ropeTheta !== undefined && { defaultTheta: defaults.ropeTheta }),
    });
    return { window, positionsOf };
  });
  // What config.json says of each layer is checked before anything is computed.
  layerEntries.forEach((_, index) => kindOf(index));
  const scale = decoder.attentionScale?.(config);
  const softCaps = decoder.softCaps?.(config) ?? {};
  const embeddingScale = decoder.scalesWords ? Math.fround(Math.sqrt(dimensions.hiddenSize)) : 1;
  const length =
    wordProjections &&
    sizeField(config, wordProjections.field, { fallback: dimensions.hiddenSize });
  const wordSize = length === dimensions.hiddenSize ? undefined : length;
  const spaceSizes = spaceSizesOf(dimensions, {
    vocabularySize,
    classes: task && outputsOf(task, config),
    tableOfPositions: names.positions === undefined ? undefined : positions + positionsFrom,
    wordSize,
  });
  const { wordNorm, maskedHead } = decoder;
  const masked = maskedHead && head !== 'none' ? maskedHead.settings(config) : undefined;
  if (masked && head === 'untied') spaceSizes.set('head', dimensions.hiddenSize);
  const pad = config['pad_token_id'] === undefined ? defaults.padding : config['pad_token_id'];
  const padding = typeof pad === 'number' ? pad : undefined;
  const modules = layerModules(
    decoder,
    dimensions,
    { normPlacement, normBias },
    decoder.biases?.(config) ?? {},
  );
  return {
    family: decoder.modelType,
    modelClass,
    ...((task && taskObjective(task, config)) ?? {
      objective: maskedHead ? 'masked-language-modeling' : 'causal-language-modeling',
      head,
    }),
    config,
    accepts: { kind: 'tokens', vocabularySize, longestSequence: positions },
    leadingTokens: maskedHead ? 1 : 0,
    dimensions,
    normPlacement,
    normKind: normOf.kind,
    ...(embeddingScale !== 1 && { embeddingScale }),
    ...(new Set(layerTypes).size > 1 && { layerTypes }),
    initializerRange: initializerRange(config, defaults.initializerRange, decoder.rangeField),
    spaceSizes,
    parameters: declareParameters(decoder, spaceSizes, variant, dimensions, {
      modules,
      padding,
      finalNorm,
      normBias,
      masked: masked ? maskedParameters(decoder, spaceSizes, config, normBias) : [],
    }),
    forward(weights, inputs) {
      if (head === 'none' && !isComputed(task)) {
        throw missingHead(modelClass, headClassOf(decoder));
      }
      requireUnpadded(inputs);
      const { batchSize, sequenceLength, attentionMask } = inputs;
      const padding = attentionMask && paddingMask(attentionMask);
      const words = embedded(weights, inputs, {
        positions,
        scale: embeddingScale,
        ...(names.positions !== undefined && { firstRow: positionsFrom }),
        projects: wordSize !== undefined,
      });
      const input = wordNorm === undefined ? words : norm(weights, 'embeddings.norm', words);
      const maskOf = (length: number): OfLayer<Tensor | undefined> =>
        byKind(layerTypes, index => {
          const { window } = kindOf(index);
          const mask = maskedHead ? localMask(length, window) : causalMask(length, window);
          if (!padding || !mask) return mask ?? padding;
          return window === undefined ? add(mask, padding) : bothMasks(mask, padding);
        });
      const turnOf = byKind(layerTypes, index => {
        const { positionsOf } = kindOf(index);
        return positionsOf && rotary(positionsOf(sequenceLength), { batchSize, sequenceLength });
      });
      const states = runLayers(layer, weights, input, {
        batchSize,
        sequenceLength,
        numHiddenLayers,
        numAttentionHeads: dimensions.numAttentionHeads,
        numKeyValueHeads: keyValueHeadsOf(dimensions),
        norm,
        ...(normsHeads && { normsHeads }),
        ...(wordNorm !== undefined && { firstReadsInput: true }),
        ...(scale !== undefined && { scale }),
        ...(softCaps.attention !== undefined && { softCap: softCaps.attention }),
        feedForward,
        rotate: selections => byKind(layerTypes, index => turnOf(index)?.(selections)),
        mask: maskOf,
        ...(inputs.partial && { partial: inputs.partial }),
      });
      const last = states.at(-1)!;
      const table = head === 'tied' ? 'embeddings.word.weight' : 'head.decoder.weight';
      const finished = (x: Tensor): Tensor => {
        const normalised = finalNorm ? norm(weights, 'final.norm', x) : x;
        return wordSize === undefined ? normalised : linear(weights, wordsOut, normalised);
      };
      return {
        hiddenStates: [...states.slice(0, -1), finished(last)],
        readout(rows) {
          // Rows are chosen before the norm, so that it runs on no more than are read.
          const features = finished(selectRows(last, rows));
          if (isComputed(task)) return taskReadout(weights, task, features);
          if (maskedHead && masked) {
            const dense = activation(masked.activation)(
              linear(weights, 'head.transform', features),
            );
            const bias = masked.scoreBias ? 'head.decoder.bias' : undefined;
            return weights.readout(norm(weights, 'head.norm', dense), table, bias);
          }
          const readout = weights.readout(features, table, undefined);
          return softCaps.head === undefined ? readout : { ...readout, softCap: softCaps.head };
        },
      };
    },
    resized: target => {
      if (wordProjections && wordSize === target.hiddenSize) {
        throw equalToWords(wordProjections.field, wordSize);
      }
      // Words as long as the hidden size stay so.
      const words = wordProjections && wordSize === undefined && config[wordProjections.field];
      const listed = withLayerLists(decoder, config, {
        from: numHiddenLayers,
        to: checkedTarget(target).numHiddenLayers,
      });
      const sized = resizedFields(listed, dimensionNames(decoder), target);
      const longer = typeof words === 'number' && { [wordProjections!.field]: target.hiddenSize };
      return buildModel(decoder, { ...sized, ...longer }, variant);
    },
  };
}
