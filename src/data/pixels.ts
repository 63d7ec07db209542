import { readFile } from 'node:fs/promises';
import { CorruptFileError, UserError } from '../errors';
import { unreadable } from './jsonFiles';
import type { PreprocessorConfig, ResizeTarget } from './preprocessor';
import { resizePixels, type Pixels } from './resample';

/** An image file or pixels that are in memory already. */
export type ImageInput = { readonly path: string; readonly name: string } | Pixels;

/** Images of more pixels than this are refused: 10,000 × 10,000 unpacks to 300 MB. */
export const largestImagePixels = 100_000_000;

/** Loaded when an image needs it: a run on text or on IDX files does not. */
async function loadSharp() {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw new UserError(
      'The image library (sharp) does not start on this machine.',
      'Install the packages again on this machine (npm ci), or use IDX files.',
      { cause },
    );
  }
}

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
  const target: ResizeTarget | undefined = preprocessor.resizeToModel
    ? { height: imageSize, width: imageSize }
    : preprocessor.resize;
  const pixels = 'path' in input ? await decode(input) : input;
  const resized =
    target === undefined
      ? pixels
      : resizePixels(pixels, targetSize(target, pixels), preprocessor.resample);
  const { centerCrop: crop } = preprocessor;
  return crop ? centerCrop(resized, crop) : resized;
}

async function decode(file: { readonly path: string; readonly name: string }): Promise<Pixels> {
  const sharp = await loadSharp();
  let bytes;
  try {
    bytes = await readFile(file.path);
  } catch (cause) {
    throw unreadable(file.path, cause);
  }
  try {
    const { data, info } = await sharp(bytes, {
      limitInputPixels: largestImagePixels,
      failOn: 'error',
      autoOrient: true,
    })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 1 && channels !== 3) throw new Error(`it has ${channels} channels`);
    return { width, height, channels, data };
  } catch (cause) {
    throw new CorruptFileError(
      `The image ${file.name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Repair or remove the file; .png, .jpg and .webp are read.',
      { cause },
    );
  }
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
