import type { Parameter } from '../architecture';
import { axisSizes, type Growth } from './operators';
import { randomParameter } from './randomParameter';

/** How large the random part is asked to be: a factor, or 1 in pre-norm models and nothing in others. */
export type FreshnessSetting = number | 'pre-norm';

/** What is added to the weights that operators made. */
export interface Freshness {
  /** Of the deviation that a model from scratch is drawn with, above 0. */
  readonly factor: number;
  readonly seed: number;
}

/** What a setting comes to in a growth; undefined where nothing is added. */
export function freshnessOf(
  { source }: Growth,
  setting: FreshnessSetting,
  seed: number,
): Freshness | undefined {
  const factor = setting !== 'pre-norm' ? setting : source.normPlacement === 'post' ? 0 : 1;
  return factor > 0 ? { factor, seed } : undefined;
}

/**
 * Ours, not the paper's: operators make new units of old ones, so the grown matrices span nothing
 * that the small ones did not. This is a random part for every entry outside the small model's block,
 * drawn as for a model from scratch (`randomParameter`) and multiplied by the factor; the block itself
 * gets zeros. Undefined for vectors, and for matrices that do not get wider.
 */
export function freshPart(
  growth: Growth,
  parameter: Parameter,
  { factor, seed }: Freshness,
): Float32Array | undefined {
  const [rows, columns] = parameter.spaces.map(space => axisSizes(growth, space));
  const widens = rows && columns && (rows.large > rows.small || columns.large > columns.small);
  if (!widens) return undefined;
  const block = { rows: rows.small, columns: columns.small };
  const fresh = randomParameter(growth.target, parameter, seed, block);
  for (let index = 0; index < fresh.length; index++) fresh[index] = factor * fresh[index]!;
  for (let row = 0; row < rows.small; row++) {
    const start = row * columns.large;
    fresh.fill(0, start, start + columns.small);
  }
  return fresh;
}
