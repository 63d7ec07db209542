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
    const limit = name === 'numHiddenLayers' ? mostLayers : largestSize;
    if (!isSize(value, limit))
      return `${name} is ${shown(value)}, not a whole number from 1 to ${limit}`;
  }
  const { hiddenSize, numAttentionHeads } = dimensions;
  return hiddenSize % numAttentionHeads === 0
    ? undefined
    : `hidden size ${hiddenSize} does not divide into ${numAttentionHeads} attention heads`;
}

/** A size, or what transformers takes where config.json does not have the field; null is no size. */
export function defaultedSize(
  config: ModelConfig,
  name: string,
  fallback: number,
  limit = largestSize,
): number {
  return sizeField(config, name, config[name] === undefined ? { fallback, limit } : { limit });
}

/** Layers, width and heads of every family here in transformers where config.json does not say. */
const usual = {
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
  names: Readonly<Record<keyof Dimensions, string>>,
  intermediateFallback?: (hiddenSize: number) => number,
): Dimensions {
  const hiddenSize = defaultedSize(config, names.hiddenSize, usual.hiddenSize);
  const dimensions: Dimensions = {
    numHiddenLayers: defaultedSize(
      config,
      names.numHiddenLayers,
      usual.numHiddenLayers,
      mostLayers,
    ),
    hiddenSize,
    numAttentionHeads: defaultedSize(config, names.numAttentionHeads, usual.numAttentionHeads),
    intermediateSize: intermediateFallback
      ? sizeField(config, names.intermediateSize, { fallback: intermediateFallback(hiddenSize) })
      : defaultedSize(config, names.intermediateSize, usual.intermediateSize),
  };
  const problem = dimensionsProblem(dimensions);
  if (problem !== undefined) throw new CorruptFileError(`config.json: ${problem}.`, remedy);
  return dimensions;
}

/** `initializer_range`: the deviation that every family draws its weights with. */
export const initializerRange = (config: ModelConfig): number =>
  Number(config['initializer_range'] ?? 0.02);
