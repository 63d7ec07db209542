import { CorruptFileError } from '../errors';
import { shortJson } from '../format';
import type { Dimensions, ModelConfig } from './architecture';

/** No size in a config.json may pass this: larger ones are damage, not models. */
const largestSize = 2 ** 20;
/** Deeper stacks than this are damage too; it bounds the work a hostile config.json can cause. */
const mostLayers = 2 ** 10;

const remedy = 'Take config.json from the same place and version as the weights beside it.';

const shown = (value: unknown): string => (value === undefined ? 'missing' : shortJson(value));

function wrong(name: string, value: unknown, expected: string): CorruptFileError {
  return new CorruptFileError(`config.json: ${name} is ${shown(value)}, not ${expected}.`, remedy);
}

/** True for whole numbers from 1 to `limit`. */
const isSize = (value: unknown, limit = largestSize): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= limit;

/** A positive whole number. `fallback` stands in when the field is absent or null; without one that throws CorruptFileError. */
export function sizeField(
  config: ModelConfig,
  name: string,
  { fallback, limit = largestSize }: { fallback?: number; limit?: number } = {},
): number {
  const value = config[name] ?? fallback;
  if (!isSize(value, limit)) throw wrong(name, config[name], `a whole number from 1 to ${limit}`);
  return value;
}

/** A size given as one number or as [height, width]; `fallback` where config.json does not have it. */
export function sizePairField(
  config: ModelConfig,
  name: string,
  fallback: number,
): { readonly height: number; readonly width: number } {
  const value = config[name] === undefined ? fallback : config[name];
  const pair: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const [height, width] = pair;
  if (pair.length !== 2 || !isSize(height) || !isSize(width)) {
    throw wrong(name, value, `a whole number from 1 to ${largestSize} or two of them`);
  }
  return { height, width };
}

/** A whole number of 0 or more, such as a token id. */
export function indexField(config: ModelConfig, name: string, fallback: number): number {
  const value = config[name] ?? fallback;
  if (value !== 0 && !isSize(value))
    throw wrong(name, value, `a whole number from 0 to ${largestSize}`);
  return value;
}

/** A LayerNorm's ε: above 0 and below 1. */
export function epsilonField(config: ModelConfig, name: string, fallback: number): number {
  const value = config[name] ?? fallback;
  if (typeof value !== 'number' || !(value > 0 && value < 1)) {
    throw wrong(name, value, 'a number between 0 and 1');
  }
  return value;
}

/** A number above 0. `fallback` stands in when the field is absent or null. */
export function positiveField(config: ModelConfig, name: string, fallback?: number): number {
  const value = config[name] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw wrong(name, value, 'a number above 0');
  }
  return value;
}

/** true or false. */
export function flagField(config: ModelConfig, name: string, fallback: boolean): boolean {
  const value = config[name] ?? fallback;
  if (typeof value !== 'boolean') throw wrong(name, value, 'true or false');
  return value;
}

/** A string. */
export function textField(config: ModelConfig, name: string, fallback: string): string {
  const value = config[name] ?? fallback;
  if (typeof value !== 'string') throw wrong(name, value, 'a string');
  return value;
}

/** The class names under `architectures`; empty when there are none. */
export function classNames(config: ModelConfig): readonly string[] {
  const value = config['architectures'] ?? [];
  if (!Array.isArray(value) || !value.every(name => typeof name === 'string')) {
    throw wrong('architectures', value, 'a list of class names');
  }
  return value;
}

/** Number of classes as transformers counts them: `num_labels`, else `id2label`, else 2. */
export function classCount(config: ModelConfig): number {
  const labels = config['id2label'];
  const counted = config['num_labels'];
  if (labels === undefined || labels === null || (counted !== undefined && counted !== null)) {
    return sizeField(config, 'num_labels', { fallback: 2 });
  }
  const count = typeof labels === 'object' ? Object.keys(labels).length : 0;
  if (!isSize(count)) throw wrong('id2label', labels, 'a table with one entry a class');
  return count;
}

/** Why these dimensions cannot be a transformer's, or undefined when they can. */
export function dimensionsProblem(dimensions: Dimensions): string | undefined {
  for (const [name, value] of Object.entries(dimensions)) {
    if (value === undefined) continue;
    const limit = name === 'numHiddenLayers' ? mostLayers : largestSize;
    if (!isSize(value, limit))
      return `${name} is ${shown(value)}, not a whole number from 1 to ${limit}`;
  }
  const { hiddenSize, numAttentionHeads, headDim } = dimensions;
  if (headDim === undefined && hiddenSize % numAttentionHeads !== 0) {
    return `hidden size ${hiddenSize} does not divide into ${numAttentionHeads} attention heads`;
  }
  const keyValueHeads = keyValueHeadsOf(dimensions);
  return numAttentionHeads % keyValueHeads === 0
    ? undefined
    : `${numAttentionHeads} attention heads do not divide among ${keyValueHeads} key-value heads`;
}

/** The smallest number of entries after which a list repeats itself; all of them where it does not. */
export function periodOf(list: readonly unknown[]): number {
  for (let period = 1; period < list.length; period++) {
    if (list.every((entry, index) => index < period || entry === list[index - period])) {
      return period;
    }
  }
  return list.length;
}

/** Units of a head. */
export const headSizeOf = ({ hiddenSize, numAttentionHeads, headDim }: Dimensions): number =>
  headDim ?? hiddenSize / numAttentionHeads;

/** Heads that have keys and values; as many as there are heads, unless they share them. */
export const keyValueHeadsOf = ({ numAttentionHeads, numKeyValueHeads }: Dimensions): number =>
  numKeyValueHeads ?? numAttentionHeads;

/** A size, or what transformers takes where config.json does not have the field; null is no size. */
export function defaultedSize(
  config: ModelConfig,
  name: string,
  fallback: number,
  limit = largestSize,
): number {
  return sizeField(config, name, config[name] === undefined ? { fallback, limit } : { limit });
}

/** Sizes that only some families have. */
export type OptionalSize = 'numKeyValueHeads' | 'headDim';

/** A family's config.json names of the sizes that grow. */
export type DimensionNames = Readonly<
  Record<Exclude<keyof Dimensions, OptionalSize>, string> & Partial<Record<OptionalSize, string>>
>;

/** What transformers takes where config.json does not say. */
export interface DefaultSizes extends Omit<Dimensions, 'intermediateSize'> {
  readonly intermediateSize: number | ((hiddenSize: number) => number);
}

/** Those of GPT-2, and of most encoders and vision transformers. */
export const usualSizes: DefaultSizes = {
  numHiddenLayers: 12,
  hiddenSize: 768,
  numAttentionHeads: 12,
  intermediateSize: 3072,
};

/**
 * Dimensions under a family's own field names, with transformers' defaults. Throws CorruptFileError
 * for impossible ones.
 */
export function dimensionFields(
  config: ModelConfig,
  names: DimensionNames,
  defaults: DefaultSizes = usualSizes,
): Dimensions {
  const size = (of: 'hiddenSize' | 'numHiddenLayers' | 'numAttentionHeads'): number =>
    defaultedSize(
      config,
      names[of],
      defaults[of],
      of === 'numHiddenLayers' ? mostLayers : largestSize,
    );
  const [hiddenSize, numAttentionHeads] = [size('hiddenSize'), size('numAttentionHeads')];
  const { intermediateSize: ffn } = defaults;
  /** Null says as much as nothing, unless nothing means a number. */
  const optional = (of: OptionalSize, ifNull: number | undefined): number | undefined => {
    const name = names[of];
    if (name === undefined) return undefined;
    const fallback = config[name] === undefined ? (defaults[of] ?? ifNull) : ifNull;
    return (config[name] ?? undefined) === undefined ? fallback : sizeField(config, name);
  };
  const keyValueHeads = optional('numKeyValueHeads', numAttentionHeads);
  const headDim = optional('headDim', undefined);
  const dimensions: Dimensions = {
    numHiddenLayers: size('numHiddenLayers'),
    hiddenSize,
    numAttentionHeads,
    ...(keyValueHeads !== undefined && { numKeyValueHeads: keyValueHeads }),
    ...(headDim !== undefined && { headDim }),
    intermediateSize:
      typeof ffn === 'function'
        ? sizeField(config, names.intermediateSize, { fallback: ffn(hiddenSize) })
        : defaultedSize(config, names.intermediateSize, ffn),
  };
  const problem = dimensionsProblem(dimensions);
  if (problem !== undefined) throw new CorruptFileError(`config.json: ${problem}.`, remedy);
  return dimensions;
}

/** `initializer_range`, or what a family calls it: the deviation that it draws its weights with. */
export const initializerRange = (
  config: ModelConfig,
  otherwise = 0.02,
  field = 'initializer_range',
): number => Number(config[field] ?? otherwise);
