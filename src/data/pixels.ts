import { UnsupportedError } from '../errors';
import { imageBands, type ImageFile, type ImageHeader } from './imageFile';
import type { PreprocessorConfig, ResizeTarget } from './preprocessor';
import { resizeColumns, resizePixels, resizeRows, type Pixels } from './resample';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** An image file with its header, or pixels that are in memory already. */
export type ImageInput = { readonly file: ImageFile; readonly header: ImageHeader } | Pixels;

/** What an image may be resized to, or on the way there, in pixels: 120 MB of colours. */
const largestPreparedPixels = 40_000_000;

/** The size that an image of a size is resized to; edges as transformers rounds them. */
function targetSize(
  target: ResizeTarget,
  { width, height }: { readonly width: number; readonly height: number },
): { width: number; height: number } {
  if (!('shortestEdge' in target)) return target;
  const { shortestEdge } = target;
  const longest = Math.floor((shortestEdge * Math.max(width, height)) / Math.min(width, height));
  return width <= height
    ? { width: shortestEdge, height: longest }
    : { width: longest, height: shortestEdge };
}

/** Cuts out the middle; what lies beyond the image is black, as in transformers. */
function centerCrop(pixels: Pixels, crop: { height: number; width: number }): Pixels {
  const { channels } = pixels;
  const top = Math.floor((pixels.height - crop.height) / 2);
  const left = Math.floor((pixels.width - crop.width) / 2);
  const data = new Uint8Array(crop.height * crop.width * channels);
  const firstColumn = Math.max(0, -left);
  const lastColumn = Math.min(crop.width, pixels.width - left);
  for (let row = 0; row < crop.height; row++) {
    const from = top + row;
    if (from < 0 || from >= pixels.height || firstColumn >= lastColumn) continue;
    const start = (from * pixels.width + left + firstColumn) * channels;
    const length = (lastColumn - firstColumn) * channels;
    data.set(
      pixels.data.subarray(start, start + length),
      (row * crop.width + firstColumn) * channels,
    );
  }
  return { ...crop, channels, data };
}

/** The size an image of a size is resized to. Throws UnsupportedError where that is too large. */
function resizedSize(
  size: { readonly width: number; readonly height: number },
  preprocessor: PreprocessorConfig,
  imageSize: number,
  name: string,
): { width: number; height: number } {
  const target: ResizeTarget | undefined = preprocessor.resizeToModel
    ? { height: imageSize, width: imageSize }
    : preprocessor.resize;
  const { width, height } = target === undefined ? size : targetSize(target, size);
  if (width * Math.max(height, size.height) > largestPreparedPixels) {
    throw new UnsupportedError(
      `${name} of ${size.width} × ${size.height} pixels would be resized to ${width} × ${height}, which takes too much memory.`,
      advise`Make it smaller or less oblong, have preprocessor_config.json resize to the model, or leave it out${by('leaveOutBroken')}.`,
    );
  }
  return { width, height };
}

/**
 * What an image file is prepared to, checked before it is decoded.
 * @throws UnsupportedError when that takes too much memory
 */
export function checkPreparedSize(
  file: ImageFile,
  header: ImageHeader,
  preprocessor: PreprocessorConfig,
  imageSize: number,
): void {
  resizedSize(header, preprocessor, imageSize, `The image ${file.name}`);
}

/**
 * Decodes, resizes and crops an image as the preprocessor says, still in bytes.
 * @param imageSize the side of the square the model takes, for a preprocessor that names no size
 * @throws CorruptFileError naming the image when it cannot be decoded
 */
export async function preparePixels(
  input: ImageInput,
  preprocessor: PreprocessorConfig,
  imageSize: number,
): Promise<Pixels> {
  const resized =
    'file' in input
      ? await resizeFile(input.file, input.header, preprocessor, imageSize)
      : resizePixels(
          input,
          resizedSize(input, preprocessor, imageSize, 'An image'),
          preprocessor.resample,
        );
  const { centerCrop: crop } = preprocessor;
  return crop ? centerCrop(resized, crop) : resized;
}

/**
 * Decodes and resizes a file, of which no more than a band is in memory in full size.
 * @param bandPixels pixels in a band; the usual number unless told
 */
export async function resizeFile(
  file: ImageFile,
  header: ImageHeader,
  preprocessor: PreprocessorConfig,
  imageSize: number,
  bandPixels?: number,
): Promise<Pixels> {
  const size = resizedSize(header, preprocessor, imageSize, `The image ${file.name}`);
  let narrow: Pixels | undefined;
  let row = 0;
  for await (const band of imageBands(file, header, bandPixels)) {
    const { data, channels } = resizeColumns(band, size.width, preprocessor.resample);
    if (band.height === header.height) {
      narrow = { width: size.width, height: header.height, channels, data };
      break;
    }
    narrow ??= {
      width: size.width,
      height: header.height,
      channels,
      data: new Uint8Array(size.width * header.height * channels),
    };
    narrow.data.set(data, row * size.width * channels);
    row += band.height;
  }
  if (!narrow) throw new Error(`${file.name} has no rows`);
  return resizeRows(narrow, size.height, preprocessor.resample);
}

/** Brightness of a colour in 16.16 fixed point, as the Python Imaging Library rounds it (ITU-R 601). */
function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/**
 * Turns bytes into what the model takes: rescaled, normalised, channel first.
 * @param into a stretch of [numChannels × height × width] that is overwritten
 */
export function normaliseInto(
  into: Float32Array,
  pixels: Pixels,
  numChannels: number,
  preprocessor: PreprocessorConfig,
): void {
  const { data, channels, width, height } = pixels;
  const area = width * height;
  const { mean, standardDeviation, rescaleFactor } = preprocessor;
  for (let channel = 0; channel < numChannels; channel++) {
    const average = mean[mean.length === 1 ? 0 : channel] ?? 0;
    const deviation = standardDeviation[standardDeviation.length === 1 ? 0 : channel] ?? 1;
    const values = Float32Array.from(
      { length: 256 },
      (_, byte) => (byte * rescaleFactor - average) / deviation,
    );
    const plane = into.subarray(channel * area, (channel + 1) * area);
    for (let index = 0; index < area; index++) {
      const at = index * channels;
      let byte = data[channels === 1 ? at : at + channel]!;
      if (channels === 3 && numChannels === 1) byte = luma(data[at]!, data[at + 1]!, data[at + 2]!);
      plane[index] = values[byte]!;
    }
  }
}
