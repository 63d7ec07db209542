import { tableSize, type ColorTable, type Rgb } from './colorMaps';

/** How values become positions in a colour table. */
export interface Scale {
  /** The magnitude that gets the strongest colour; larger ones are clipped to it. */
  readonly limit: number;
}

/** Where the limit lies: at the largest magnitude, or where 99.5 % of the cells are within it. */
export type LimitKind = 'maximum' | 'percentile';

/** What a legend says about a matrix beside its scale. */
export interface Extent {
  readonly minimum: number;
  readonly maximum: number;
  readonly notFinite: number;
}

/** Smallest and largest finite value (0 and 0 where none is), and how many are not finite. */
export function extentOf(values: Float32Array): Extent {
  let minimum = Infinity;
  let maximum = -Infinity;
  let notFinite = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) notFinite++;
    else {
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
  }
  return minimum > maximum
    ? { minimum: 0, maximum: 0, notFinite }
    : { minimum, maximum, notFinite };
}

const share = 0.995;
const bins = 4096;

/**
 * The magnitude that `kind` asks for over all the matrices (snapshots of one operator share a scale,
 * so that a change of colour is a change of value). The percentile is exact to 1/4096 of the maximum.
 */
export function limitOf(matrices: readonly Float32Array[], kind: LimitKind): number {
  let maximum = 0;
  for (const values of matrices) {
    for (const value of values) {
      const size = Math.abs(value);
      if (size > maximum && size !== Infinity) maximum = size;
    }
  }
  if (kind === 'maximum' || maximum === 0) return maximum;
  const counts = new Float64Array(bins);
  let finite = 0;
  for (const values of matrices) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      const bin = Math.min(bins - 1, Math.floor((Math.abs(value) / maximum) * bins));
      counts[bin] = (counts[bin] ?? 0) + 1;
      finite++;
    }
  }
  let within = 0;
  for (let bin = 0; bin < bins; bin++) {
    within += counts[bin] ?? 0;
    if (within >= finite * share) return ((bin + 1) / bins) * maximum;
  }
  return maximum;
}

/** How many finite values lie beyond the limit. */
export function countBeyond(values: Float32Array, limit: number): number {
  let count = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > limit && size !== Infinity) count++;
  }
  return count;
}

const half = (tableSize - 1) / 2;

/** A value's entry in a table: the middle is zero in diverging ones, the first in others. */
export function colorIndex(value: number, limit: number, diverging: boolean): number {
  const part = limit > 0 ? Math.min(1, Math.abs(value) / limit) : 0;
  if (!diverging) return Math.round(part * (tableSize - 1));
  return Math.round(half + (value < 0 ? -part : part) * half);
}

/** A value's colour. */
export function colorOf(value: number, scale: Scale, table: ColorTable): Rgb {
  if (!Number.isFinite(value)) return table.notFinite;
  return table.colors[colorIndex(value, scale.limit, table.diverging)] ?? table.notFinite;
}

/** Paints values as pixels, one a cell, the layout of an ImageData of rows × columns. */
export function paint(
  values: Float32Array,
  scale: Scale,
  table: ColorTable,
  pixels: Uint32Array,
): void {
  const { pixels: colors, notFinitePixel, diverging } = table;
  const { limit } = scale;
  const span = diverging ? half : tableSize - 1;
  const zero = diverging ? half : 0;
  const factor = limit > 0 ? span / limit : 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (value - value !== 0) {
      pixels[index] = notFinitePixel;
      continue;
    }
    let offset = (diverging ? value : Math.abs(value)) * factor;
    if (offset > span) offset = span;
    else if (offset < -span) offset = -span;
    pixels[index] = colors[Math.round(zero + offset)] ?? notFinitePixel;
  }
}
