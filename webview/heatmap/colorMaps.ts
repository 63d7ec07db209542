/** Colour maps a person may choose for signed values. */
export type DivergingName = 'RdBu' | 'PuOr';
/** All colour maps: diverging ones for signed values, cividis for magnitudes. */
export type ColorMapName = DivergingName | 'cividis';

/**
 * Published control points, low to high.
 * RdBu and PuOr: ColorBrewer 2.0, 11 classes, both on its colour-blind-safe list (Harrower and Brewer
 * 2003). cividis: Nuñez, Anderton and Renslow 2018, made for colour-vision deficiency; ten evenly
 * spaced entries of its table.
 */
const controlPoints: Record<ColorMapName, readonly string[]> = {
  RdBu: [
    ...['67001f', 'b2182b', 'd6604d', 'f4a582', 'fddbc7', 'f7f7f7'],
    ...['d1e5f0', '92c5de', '4393c3', '2166ac', '053061'],
  ],
  PuOr: [
    ...['7f3b08', 'b35806', 'e08214', 'fdb863', 'fee0b6', 'f7f7f7'],
    ...['d8daeb', 'b2abd2', '8073ac', '542788', '2d004b'],
  ],
  cividis: [
    ...['00224e', '123570', '3b496c', '575d6d', '707173'],
    ...['8a8678', 'a59c74', 'c3b369', 'e1cc55', 'fee838'],
  ],
};

/** Red, green and blue, 0…255. */
export type Rgb = readonly [number, number, number];

/** Entries of a colour table: odd, so that zero has an entry of its own in diverging maps. */
export const tableSize = 511;

/** Values → colours: `tableSize` entries from lowest to highest, and one for what is not finite. */
export interface ColorTable {
  readonly diverging: boolean;
  readonly colors: readonly Rgb[];
  /** The same as ImageData wants them in a Uint32Array: 0xAABBGGRR. */
  readonly pixels: Uint32Array;
  readonly notFinite: Rgb;
  readonly notFinitePixel: number;
}

const parse = (hex: string): Rgb => {
  const value = Number.parseInt(hex, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

const pack = ([red, green, blue]: Rgb): number =>
  ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** The colour as CSS and SVG write it. */
export const hexColor = (rgb: Rgb): string =>
  `#${rgb.map(part => part.toString(16).padStart(2, '0')).join('')}`;

/** Colours in between, linear in sRGB. `position` is 0…1. */
function between(points: readonly Rgb[], position: number): Rgb {
  const exact = position * (points.length - 1);
  const low = Math.min(points.length - 2, Math.floor(exact));
  const from = points[low];
  const to = points[low + 1];
  if (from === undefined || to === undefined)
    throw new RangeError('A colour map needs two points.');
  const part = (index: 0 | 1 | 2): number =>
    Math.round(from[index] + (to[index] - from[index]) * (exact - low));
  return [part(0), part(1), part(2)];
}

/**
 * A diverging map's points with a dark middle, for dark themes: each arm runs from the background
 * through its published colours from dark to pale, so that zero recedes and large values shine.
 */
function withDarkMiddle(points: readonly Rgb[], middle: Rgb): readonly Rgb[] {
  const half = (points.length - 1) / 2;
  // The palest colours stay out: at both ends they are nearly white, and the sign would be lost.
  const negative = points.slice(0, half - 1).reverse();
  const positive = points.slice(half + 2).reverse();
  return [...negative, middle, ...positive];
}

const magenta: Rgb = [255, 0, 220];

/** Builds the table of a colour map; `background` is given for dark themes. */
export function colorTable(name: ColorMapName, background?: Rgb): ColorTable {
  const published = controlPoints[name].map(parse);
  const diverging = name !== 'cividis';
  const points =
    diverging && background !== undefined ? withDarkMiddle(published, background) : published;
  const colors = Array.from({ length: tableSize }, (_, index) =>
    between(points, index / (tableSize - 1)),
  );
  return {
    diverging,
    colors,
    pixels: Uint32Array.from(colors, pack),
    notFinite: magenta,
    notFinitePixel: pack(magenta),
  };
}
