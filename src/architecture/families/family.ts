import { UnsupportedError, type Note } from '../../errors';
import { shortJson } from '../../format';
import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import { dimensionsProblem, flagField } from '../configFields';

/** The tensor names of a checkpoint, spelled as we would write them. */
export interface StoredNames {
  /** The model prefix this file uses: the family's, or nothing in a bare encoder's file. */
  readonly prefix: string;
  has(name: string): boolean;
  /** True when some name begins so. */
  hasUnder(start: string): boolean;
  /** True when the file holds both of two twins (`Family.twins`) and their values are not the same. */
  differ(twin: string): boolean;
}

/** Everything `recognizeArchitecture` needs to know about one family. */
export interface Family {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** What the family's class names look like, for configs without `model_type`. */
  readonly className: RegExp;
  /** Stands before the encoder's tensor names in files of models with a head: `bert.`. */
  readonly prefix: string;
  /** Whether a config.json without `model_type` and `architectures` is this family's. Default never. */
  readonly claims?: (config: ModelConfig) => boolean;
  /** Whether its files may call parts of norms gamma and beta, as old ones do. Default true. */
  readonly oldNormNames?: boolean;
  /** A tensor name, prefix included where it must be there, that shows this family when config.json does not say. */
  readonly signature: RegExp;
  /** Finds the layer's number in a tensor name without prefix. */
  readonly layerNumber: RegExp;
  /**
   * Pairs of tensor names that are one parameter in a model whose config.json ties them; files may hold
   * both, and then transformers (from version 5 on) ties them only if their values are the same. The
   * first is the output layer's.
   */
  twins(prefix: string): readonly Twins[];
  /** The model that config and file describe. Throws UnsupportedError for what would be computed wrongly. */
  build(config: ModelConfig, file: StoredNames): Built;
  /** Why a tensor that is not one of the model's parameters is left out, where the family knows it. */
  explain?(name: string, architecture: Architecture): string | undefined;
}

/** The output layer's name of a parameter, and the name that it is saved under where both are one. */
export type Twins = readonly [output: string, shared: string];

/** A model as a family understands it. */
export interface Built {
  readonly architecture: Architecture;
  /** What config.json and the tensors say against each other, and how it was taken. */
  readonly notes: readonly Note[];
}

/** Finds the layer's number behind what stands before it: `encoder.layer.`. */
export const layerNumberBehind = (start: string): RegExp =>
  new RegExp(`^${start.replaceAll('.', '\\.')}(\\d+)\\.`);

/** The target, when it makes a transformer. Throws UnsupportedError when not. */
export function checkedTarget(target: Dimensions): Dimensions {
  const problem = dimensionsProblem(target);
  if (problem === undefined) return target;
  throw new UnsupportedError(
    `The target cannot be built: ${problem}.`,
    'Choose positive sizes and a hidden size that is a multiple of the number of attention heads.',
  );
}

/** The target would have no projection between words and layers, which the source has. */
export const equalToWords = (field: string, size: number): UnsupportedError =>
  new UnsupportedError(
    `The target's hidden size would be its ${field} (${size}): such a model has no projection from the one to the other, and the source has one.`,
    'Ask for more hidden units or fewer.',
  );

/** A field value that would make the model compute something that is not implemented. */
export interface Refusal {
  readonly field: string;
  /** True for values that are not supported; absent and null fields are never asked. */
  readonly refused: (value: unknown) => boolean;
  readonly because: string;
}

/** Throws UnsupportedError for the first field that asks for something not computed here. */
export function refuseFields(config: ModelConfig, refusals: readonly Refusal[]): void {
  for (const { field, refused, because } of refusals) {
    const value = config[field];
    if (value === undefined || value === null || !refused(value)) continue;
    throw new UnsupportedError(
      `config.json sets ${field} to ${shortJson(value)}, which is not supported: ${because}.`,
      'Use a checkpoint without it; changing only config.json would make the weights mean something else.',
    );
  }
}

const isTrue = (value: unknown): boolean => value === true;

/** Refusals that hold for every family. */
export const commonRefusals: readonly Refusal[] = [
  {
    field: 'quantization_config',
    refused: () => true,
    because: 'quantised weights are not numbers that can be combined linearly',
  },
  {
    field: 'pruned_heads',
    refused: value => typeof value !== 'object' || Object.keys(value as object).length > 0,
    because: 'pruned attention heads make layers of different widths',
  },
  {
    field: 'add_cross_attention',
    refused: isTrue,
    because: 'cross-attention has parameters that no operator would grow',
  },
  {
    field: 'is_encoder_decoder',
    refused: isTrue,
    because: 'only encoders and decoders that stand alone are grown',
  },
];

const untiedNote = (table: string): Note => ({
  message: `config.json ties the output table to the word embeddings, but ${table} holds other values: it is used as a table of its own, as transformers does from version 5 on, and what is written says "tie_word_embeddings": false.`,
  remedy: `Set "tie_word_embeddings" to false in config.json if that is right; if not, remove ${table} from the file.`,
});

/** How the output table and config.json go together. */
export interface Tie {
  readonly tied: boolean;
  /** config.json as it has to be for the same model to be read from it. */
  readonly config: ModelConfig;
  readonly notes: readonly Note[];
}

/**
 * Tied where config.json says so, or the family where it says nothing, and the file holds no output
 * table with values of its own.
 */
export function tieOf(
  config: ModelConfig,
  file: StoredNames,
  outputTable: string,
  otherwise = true,
): Tie {
  const says = flagField(config, 'tie_word_embeddings', otherwise);
  if (!says || !file.differ(outputTable)) return { tied: says, config, notes: [] };
  return {
    tied: false,
    config: { ...config, tie_word_embeddings: false },
    notes: [untiedNote(outputTable)],
  };
}

/** For `forward`: the error that says which class to save instead of one without a head. */
export function missingHead(modelClass: string, wanted: string): UnsupportedError {
  return new UnsupportedError(
    `This checkpoint is a ${modelClass}: it has no head, so there is no loss to train with.`,
    `Save the model as ${wanted} and grow that checkpoint.`,
  );
}
