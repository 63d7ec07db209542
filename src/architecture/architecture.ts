import type { Tensor } from '../graph/tensor';
import type { Parameter, SpaceRole } from './parameter';
import type { PartialLayers } from './blocks/partialLayers';
import type { Readout, Weights } from './weights';

/** A Hugging Face config.json, as parsed. */
export type ModelConfig = Readonly<Record<string, unknown>>;

/** What the model is trained to do; decides which batches it reads. */
export type Objective =
  | 'masked-language-modeling'
  | 'causal-language-modeling'
  | 'image-classification'
  | 'sequence-classification'
  | 'token-classification';

/** What the targets of a classifier are, by transformers' names: they decide the loss. */
export const problems = [
  'single_label_classification',
  'multi_label_classification',
  'regression',
] as const;
export type Problem = (typeof problems)[number];

/** Sizes by the names Hugging Face configs use. */
export interface Dimensions {
  readonly numHiddenLayers: number;
  readonly hiddenSize: number;
  readonly numAttentionHeads: number;
  /** In families whose heads may share keys and values; each has its own where absent. */
  readonly numKeyValueHeads?: number;
  /** In families that name it; heads divide the hidden size where absent. */
  readonly headDim?: number;
  readonly intermediateSize: number;
}

/** What a batch for this model may hold, for whoever makes the batches. */
export type AcceptedInput =
  | {
      readonly kind: 'tokens';
      /** Token ids are below this. */
      readonly vocabularySize: number;
      /** Longest sequence the position table allows, in tokens. */
      readonly longestSequence: number;
    }
  | {
      readonly kind: 'images';
      readonly channels: number;
      /** Pixels. */
      readonly height: number;
      /** Pixels. */
      readonly width: number;
      /** Labels are below this; 0 when the model has no classifier. */
      readonly classes: number;
      /** Tokens that an image becomes, those that stand for all of it included. */
      readonly sequenceLength: number;
    };

/** What a forward pass reads. Language models take `inputIds`, vision models `pixelValues`. */
export interface ForwardInputs {
  readonly batchSize: number;
  /** Tokens a sequence; ignored by vision models. */
  readonly sequenceLength: number;
  /** int32 [batchSize · sequenceLength] */
  readonly inputIds?: Tensor;
  /** float32 [batchSize, sequenceLength], 1 for tokens and 0 for padding; absent when nothing is padded. */
  readonly attentionMask?: Tensor;
  /** int32 [batchSize · sequenceLength]; absent: 0, 1, 2, … as the family counts them. */
  readonly positionIds?: Tensor;
  /** int32 [batchSize · sequenceLength]; absent: all 0. */
  readonly tokenTypeIds?: Tensor;
  /** float32 [batchSize, channels, height, width] */
  readonly pixelValues?: Tensor;
  /** What of the network is computed, for training at less cost; all where absent. Goes without padding. */
  readonly partial?: PartialLayers;
}

/** What a forward pass gives. */
export interface ForwardOutputs {
  /**
   * The embedding output and every layer's output as transformers reports them, each [n, hiddenSize];
   * between layers that compute a part of the tokens, only those rows.
   */
  readonly hiddenStates: readonly Tensor[];
  /** What layers that only the class token passes through give, each [batchSize, hiddenSize]; absent without them. */
  readonly classStates?: readonly Tensor[];
  /**
   * Scores before the loss: for models of text of the rows `positions` (int32 [p], flat token
   * indices) or of all rows; for image classifiers one row an image (`positions` is not used).
   */
  readout(positions?: Tensor): Readout;
}

/** One model of one family at one size: everything a growth needs to know, and its forward pass. */
export interface Architecture {
  /** Hugging Face `model_type`. */
  readonly family: string;
  /** Hugging Face class whose checkpoints look like this: `BertForMaskedLM`. */
  readonly modelClass: string;
  readonly objective: Objective;
  /** Set for classifiers of text alone; every other objective asks for one class a target. */
  readonly problem?: Problem;
  /** The token of each sequence that a classifier of whole texts reads; absent for other objectives. */
  readonly readsToken?: 'first' | 'last';
  readonly config: ModelConfig;
  readonly accepts: AcceptedInput;
  /** Tokens at the start of every sequence that stand for the whole of it: [CLS], a distillation token. */
  readonly leadingTokens: number;
  readonly dimensions: Dimensions;
  /** Whether config.json may give heads a size by which they do not divide the hidden size. Default false. */
  readonly namesHeadSize?: boolean;
  /**
   * What layers normalise: what a branch reads (`pre`), the sum that it goes into (`post`), what it reads
   * and what it gives (`sandwich`), or what it gives alone (`output`).
   */
  readonly normPlacement: 'pre' | 'post' | 'sandwich' | 'output';
  /** What of a layer's values norms make 1: their variance about their mean, or their mean square. */
  readonly normKind: 'LayerNorm' | 'RMSNorm';
  /**
   * What rows of the word table are multiplied by where they enter the network: √hiddenSize in Gemma.
   * Absent where they enter as they are. A tied head reads them as they are in any case.
   */
  readonly embeddingScale?: number;
  /** What sets layers apart from each other, by layer; absent where all compute alike. */
  readonly layerTypes?: readonly string[];
  /** Standard deviation that weights of a model from scratch are drawn with. */
  readonly initializerRange: number;
  /** Size of each space the model has. */
  readonly spaceSizes: ReadonlyMap<SpaceRole, number>;
  /** Every parameter, layers in order. Tied parameters appear once, under the table's id. */
  readonly parameters: readonly Parameter[];
  /** The objective's: tied to the word embeddings, untied, or none at all (then training is impossible). */
  readonly head: 'tied' | 'untied' | 'none';
  /**
   * Positions of tokens, for models whose positions depend on what the tokens are: int32
   * [batch · sequenceLength] from ids of the same shape, to be fed as `positionIds`. Absent where they
   * are 0, 1, 2, …
   */
  readonly positionIds?: (inputIds: ArrayLike<number>, sequenceLength: number) => Int32Array;
  /** A config.json of this family under the names of fields that most others have; absent where it has them. */
  readonly usualFields?: (config: ModelConfig) => ModelConfig;
  /** Throws UnsupportedError when the objective needs a head that is not there. */
  forward(weights: Weights, inputs: ForwardInputs): ForwardOutputs;
  /**
   * The same model at other sizes, with config.json updated and every other field kept.
   * Throws UnsupportedError for sizes that make no transformer.
   */
  resized(target: Dimensions): Architecture;
}
