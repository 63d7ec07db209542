import type { Note } from '../../errors';
import type { Architecture, ModelConfig } from '../architecture';
import type { NormalisedHeads } from '../blocks/layers';
import type { DefaultSizes, DimensionNames } from '../configFields';
import type { Draw, ModuleKind } from '../parameter';
import { commonDimensionNames } from './dimensionNames';
import type { Refusal } from './family';
import { classifier, type TaskHead } from './taskHeads';

/** Which modules of a layer have biases; none where absent. */
export interface Biases {
  readonly queriesKeysValues?: boolean;
  readonly attentionOutput?: boolean;
  readonly feedForward?: boolean;
}

/** Modules that no decoder has. */
type OfVisionOnly = 'scale1' | 'scale2' | 'mixScores' | 'mixWeights';

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
    Record<Exclude<ModuleKind, 'ln1Out' | 'ln2Out' | OfVisionOnly>, string>
  > & {
    readonly ln1Out?: string;
    readonly ln2Out?: string;
  };
}

/** Before the number of a layer in most files. */
export const usualLayers = 'layers.';

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
  readonly draws?: (config: ModelConfig, layers: number) => Draws;
  /** Rows of its position table before the first position's, where it has one in place of rotation. */
  readonly positionsFrom?: number;
  /** The field of a word's length where projections stand between words and layers, and their names. */
  readonly wordProjections?: { readonly field: string; readonly in: string; readonly out: string };
  /** The field of `initializer_range`, where it is called otherwise. */
  readonly rangeField?: string;
  /** What rows of the word table are multiplied by where they enter the network. Default 1. */
  readonly wordScale?: (config: ModelConfig, hiddenSize: number) => number;
  /** What branches give to the residual stream is multiplied by it. Default 1. */
  readonly branchScale?: (config: ModelConfig) => number;
  /** What the head's scores are multiplied by. Default 1. */
  readonly scoreScale?: (config: ModelConfig) => number;
  /** What products of queries and keys are multiplied by. Default 1/√headSize. */
  readonly attentionScale?: (config: ModelConfig) => number;
  /** Caps of attention scores and of the head's; none where absent. */
  readonly softCaps?: (config: ModelConfig) => SoftCaps;
  /** Whether a gate multiplies what enters the feed-forward space; it does by default. */
  readonly gated?: boolean;
  /** Whether both branches of a layer read its input. Default false. */
  readonly parallel?: (config: ModelConfig) => boolean;
  /** Whether queries, keys and values share a tensor head by head. Default one after the other, if at all. */
  readonly sharesTensorByHead?: boolean;
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
  /** Whether its config class refuses a hidden size that heads do not divide. Default false. */
  readonly headsDivide?: boolean;
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

/** How matrices are drawn: of what branches give back and of the head, and all others. */
export interface Draws {
  readonly giving: Draw;
  readonly others: Draw;
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

export const dimensionNames = ({ sharesKeys = true, sizeNames }: Decoder): DimensionNames => ({
  ...commonDimensionNames,
  ...sizeNames,
  ...(sharesKeys && { numKeyValueHeads: 'num_key_value_heads', headDim: 'head_dim' }),
});

export const usualNorm: NonNullable<Decoder['norm']> = {
  kind: 'RMSNorm',
  field: 'rms_norm_eps',
  epsilon: 1e-6,
};

export const headClassOf = ({ className, maskedHead }: Decoder): string =>
  `${className}For${maskedHead ? 'MaskedLM' : 'CausalLM'}`;

export const bareClassOf = ({ className, bareClass = `${className}Model` }: Decoder): string =>
  bareClass;

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
export interface Variant {
  readonly prefix: string;
  readonly task: TaskHead | undefined;
  readonly head: Architecture['head'];
  readonly modelClass: string;
  /** What is said of a classifier that is not learned with. */
  readonly besides: readonly Note[];
}
