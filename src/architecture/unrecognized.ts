import { UnsupportedError } from '../errors';
import { counted, shortJson } from '../format';
import type { Family } from './families/family';

/** The error for a model of no supported family; `named` is what config.json calls it. */
export function unrecognized(named: unknown, supported: readonly string[]): UnsupportedError {
  const what =
    named === undefined
      ? 'config.json names no model_type, and the tensor names fit no supported family'
      : `config.json says the model is ${shortJson(named)}, which is not supported`;
  return new UnsupportedError(`${what}.`, `Supported are ${supported.join(', ')}.`);
}

/**
 * The error for a checkpoint without config.json: says what the shapes give away, and that the number
 * of attention heads is not among it (heads only divide the width, so no tensor has their number).
 */
export function withoutConfig(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  family: Family | undefined,
): UnsupportedError {
  const remedy = 'Put the config.json that was published with these weights into the same folder.';
  if (!family) {
    return new UnsupportedError(
      'There is no config.json beside the weights, and the tensor names fit no supported family.',
      remedy,
    );
  }
  const names = [...tensors.keys()];
  const bare = names.map(name =>
    name.startsWith(family.prefix) ? name.slice(family.prefix.length) : name,
  );
  const layers = new Set(bare.flatMap(name => family.layerNumber.exec(name)?.[1] ?? [])).size;
  const vector = names.find(name => /layernorm\w*\.(weight|gamma)$|ln_f\.weight$/i.test(name));
  const width = vector === undefined ? undefined : tensors.get(vector)?.shape[0];
  const looksLike = `${family.modelType} with ${counted(layers, 'layer')}${width === undefined ? '' : ` of width ${width}`}`;
  return new UnsupportedError(
    `There is no config.json beside the weights. They look like ${looksLike}, but the number of attention heads leaves no trace in the tensors' shapes.`,
    remedy,
  );
}
