/** Bytes of an image, [height, width, channels], channels 1 (grey) or 3 (red, green, blue). */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** A resampling filter: its weight at a distance, in pixels of the coarser of the two images. */
interface Filter {
  /** Beyond this distance the weight is 0. */
  readonly support: number;
  weight(distance: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** By the numbers of the Python Imaging Library, which preprocessor_config.json uses; 0 is nearest. */
const filters: Readonly<Record<number, Filter>> = {
  1: { support: 3, weight: x => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
  2: { support: 1, weight: x => Math.max(0, 1 - Math.abs(x)) },
  3: {
    support: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
  4: { support: 0.5, weight: x => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  5: {
    support: 1,
    weight: x => (Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0),
  },
};

const nearest = 0;

/** The resamplings that `resizePixels` knows. */
export const resamplings: readonly number[] = [nearest, ...Object.keys(filters).map(Number)];

/** Weights are whole multiples of 2^−22, so that results are the same bytes on every machine. */
const precisionBits = 22;

/** For each new pixel the first old one it is made of, and the weights from there on. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [size, stride] */
  readonly weights: Int32Array;
  readonly stride: number;
}

function tapsOf(oldSize: number, newSize: number, filter: Filter): Taps {
  const scale = oldSize / newSize;
  // Shrinking, the filter is widened to cover every old pixel: that is what prevents aliasing.
  const filterScale = Math.max(1, scale);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(newSize);
  const count = new Int32Array(newSize);
  const weights = new Int32Array(newSize * stride);
  for (let index = 0; index < newSize; index++) {
    const centre = (index + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - support + 0.5));
    const to = Math.min(oldSize, Math.trunc(centre + support + 0.5));
    const exact = Array.from({ length: to - from }, (_, tap) =>
      filter.weight((from + tap - centre + 0.5) / filterScale),
    );
    const sum = exact.reduce((total, weight) => total + weight, 0);
    first[index] = from;
    count[index] = to - from;
    exact.forEach((weight, tap) => {
      const scaled = (weight / sum) * 2 ** precisionBits;
      weights[index * stride + tap] = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    });
  }
  return { first, count, weights, stride };
}

/**
 * Resamples along one axis: the data is [outer, size, inner], and `size` changes.
 * Halves are rounded up and overshoot is clipped, in bytes, after each axis.
 */
function alongAxis(
  data: Uint8Array,
  outer: number,
  oldSize: number,
  newSize: number,
  inner: number,
  filter: Filter,
): Uint8Array {
  const { first, count, weights, stride } = tapsOf(oldSize, newSize, filter);
  const result = new Uint8ClampedArray(outer * newSize * inner);
  const half = 2 ** (precisionBits - 1);
  for (let block = 0; block < outer; block++) {
    for (let index = 0; index < newSize; index++) {
      const from = (block * oldSize + first[index]!) * inner;
      const into = (block * newSize + index) * inner;
      const taps = count[index]!;
      for (let lane = 0; lane < inner; lane++) {
        let sum = half;
        for (let tap = 0; tap < taps; tap++) {
          sum += data[from + tap * inner + lane]! * weights[index * stride + tap]!;
        }
        result[into + lane] = sum >> precisionBits;
      }
    }
  }
  return new Uint8Array(result.buffer);
}

/** Along one axis of [outer, size, inner], for each new entry the old one in whose middle it lies. */
function pickNearest(
  data: Uint8Array,
  outer: number,
  oldSize: number,
  newSize: number,
  inner: number,
): Uint8Array {
  const result = new Uint8Array(outer * newSize * inner);
  for (let block = 0; block < outer; block++) {
    for (let index = 0; index < newSize; index++) {
      const old = Math.floor(((index + 0.5) * oldSize) / newSize);
      const from = (block * oldSize + old) * inner;
      result.set(data.subarray(from, from + inner), (block * newSize + index) * inner);
    }
  }
  return result;
}

/** Resamples along one axis by a filter of `resamplings`. */
function resizeAxis(
  data: Uint8Array,
  outer: number,
  [oldSize, newSize]: readonly [number, number],
  inner: number,
  resample: number,
): Uint8Array {
  if (oldSize === newSize) return data;
  const filter = filters[resample];
  return filter
    ? alongAxis(data, outer, oldSize, newSize, inner, filter)
    : pickNearest(data, outer, oldSize, newSize, inner);
}

/** The first half of `resizePixels`: another width, each row by itself. */
export function resizeColumns(pixels: Pixels, width: number, resample: number): Pixels {
  const { height, channels, data } = pixels;
  const sizes = [pixels.width, width] as const;
  return { width, height, channels, data: resizeAxis(data, height, sizes, channels, resample) };
}

/** The second half of `resizePixels`: another height. */
export function resizeRows(pixels: Pixels, height: number, resample: number): Pixels {
  const { width, channels, data } = pixels;
  const sizes = [pixels.height, height] as const;
  return {
    width,
    height,
    channels,
    data: resizeAxis(data, 1, sizes, width * channels, resample),
  };
}

/**
 * Resizes an image to the very bytes that the Python Imaging Library makes, which is what
 * transformers resizes with: libvips treats edges and half pixels otherwise, and a small model sees
 * the difference.
 * @param resample one of `resamplings`
 */
export function resizePixels(
  pixels: Pixels,
  size: { readonly width: number; readonly height: number },
  resample: number,
): Pixels {
  const { width, height } = size;
  if (width === pixels.width && height === pixels.height) return pixels;
  return resizeRows(resizeColumns(pixels, width, resample), height, resample);
}
