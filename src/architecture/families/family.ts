import { UnsupportedError } from '../../errors';
import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import { dimensionsProblem } from '../configFields';

/** The tensor names of a checkpoint, spelled as we would write them. */
export interface StoredNames {
  /** The model prefix this file uses: the family's, or nothing in a bare encoder's file. */
  readonly prefix: string;
  has(name: string): boolean;
  /** True when some name begins so. */
  hasUnder(start: string): boolean;
}

/** Everything `recognizeArchitecture` needs to know about one family. */
export interface Family {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** What the family's class names look like, for configs without `model_type`. */
  readonly className: RegExp;
  /** Stands before the encoder's tensor names in files of models with a head: `bert.`. */
  readonly prefix: string;
  /** A tensor name, prefix included where it must be there, that shows this family when config.json does not say. */
  readonly signature: RegExp;
  /** Finds the layer's number in a tensor name without prefix. */
  readonly layerNumber: RegExp;
  /** Groups of tensor names that hold the same values; any of them can be read for any other. */
  readonly synonyms: readonly (readonly string[])[];
  /** The model that config and file describe. Throws UnsupportedError for what would be computed wrongly. */
  build(config: ModelConfig, file: StoredNames): Architecture;
  /** Why a tensor that is not one of the model's parameters is left out, where the family knows it. */
  explain(name: string, architecture: Architecture): string | undefined;
}

/** The target, when it makes a transformer. Throws UnsupportedError when not. */
export function checkedTarget(target: Dimensions): Dimensions {
  const problem = dimensionsProblem(target);
  if (problem === undefined) return target;
  throw new UnsupportedError(
    `The target cannot be built: ${problem}.`,
    'Choose positive sizes and a hidden size that is a multiple of the number of attention heads.',
  );
}

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
    const shown = JSON.stringify(value)?.slice(0, 60) ?? '';
    throw new UnsupportedError(
      `config.json sets ${field} to ${shown}, which is not supported: ${because}.`,
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

/** Why the copy of the output table that some files of tied models hold is left out. */
export const tiedTableReason =
  'config.json ties the output table to the word embeddings, so this copy is not read';

/** For `forward`: the error that says which class to save instead of one without a head. */
export function missingHead(modelClass: string, wanted: string): UnsupportedError {
  return new UnsupportedError(
    `This checkpoint is a ${modelClass}: it has no head, so there is no loss to train with.`,
    `Save the model as ${wanted} and grow that checkpoint.`,
  );
}
