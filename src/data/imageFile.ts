import type sharpLibrary from 'sharp';
import { CorruptFileError, UnsupportedError, UserError } from '../errors';
import type { Pixels } from './resample';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** An image as a file. */
export interface ImageFile {
  readonly path: string;
  readonly name: string;
}

/** Images of more pixels than this are refused. */
export const largestImagePixels = 100_000_000;

/** What a decoder may hold of an image that cannot be decoded row by row, in bytes. */
const mostDecoderBytes = 200 * 1024 * 1024;

/** At most this many pixels are unpacked at a time; a larger image comes in bands. */
const bandPixels = 12_000_000;

/** What a decoder holds besides pixels, so that small images weigh something too: bytes. */
const decoderOverhead = 4 * 1024 * 1024;

/** What the beginning of an image file says. */
export interface ImageHeader {
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  /** EXIF's number, 1 … 8, of how the stored image is turned. */
  readonly orientation: number;
  /** Inks instead of light: as printers want it. */
  readonly inks: boolean;
  /** Grey in 16 bits. */
  readonly deepGrey: boolean;
  /** Images in the file, of which the first is used. */
  readonly frames: number;
  /** What decoding holds at a time. */
  readonly bytesToDecode: number;
}

/** Loaded when an image needs it: a run on text or on IDX files does not. */
async function loadSharp(): Promise<typeof sharpLibrary> {
  try {
    const { default: sharp } = await import('sharp');
    // What libvips remembers of images holds their decoders, and each image is another.
    sharp.cache(false);
    return sharp;
  } catch (cause) {
    throw new UserError(
      'The image library (sharp) does not start on this machine.',
      'Install the packages again on this machine (npm ci), or use IDX files.',
      { cause },
    );
  }
}

/** Embedded colour profiles are ignored, as the Python Imaging Library does: pixels are what was stored. */
const decoding = {
  limitInputPixels: largestImagePixels,
  failOn: 'error',
  ignoreIcc: true,
  sequentialRead: true,
} as const;

function unreadableImage({ name }: ImageFile, cause: unknown): CorruptFileError {
  const said = cause instanceof Error ? cause.message : String(cause);
  // What libvips says of an interlaced PNG that is cut off.
  const problem = said === 'Unknown error' ? 'its pixels cannot be decoded' : said;
  return new CorruptFileError(
    `The image ${name} cannot be read: ${problem.replace(/\s+/g, ' ').trim()}.`.replace('..', '.'),
    advise`Repair or remove the file, or leave out what is broken${by('leaveOutBroken')}; .png, .jpg and .webp are read.`,
    { cause },
  );
}

interface Stored {
  readonly format?: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly channels?: number | undefined;
  readonly depth?: string | undefined;
  readonly isProgressive?: boolean | undefined;
  readonly chromaSubsampling?: string | undefined;
}

/** What a decoder holds of an image that it has to unpack whole, and why; 0 where rows come one by one. */
function wholeBytes(stored: Stored): { readonly bytes: number; readonly why: string } {
  const { format, width, height, channels = 3, isProgressive = false } = stored;
  const area = width * height;
  if (format === 'webp') return { bytes: 8 * area, why: 'WebP is unpacked whole' };
  if (!isProgressive) return { bytes: 0, why: '' };
  if (format === 'png') {
    const sample = stored.depth === 'ushort' ? 2 : 1;
    return { bytes: area * channels * sample, why: 'an interlaced PNG is unpacked whole' };
  }
  // Coefficients of two bytes; colours often come in half the resolution.
  const coloured = { '4:2:0': 1.5, '4:2:2': 2 }[stored.chromaSubsampling ?? ''] ?? channels;
  return { bytes: 2 * coloured * area, why: 'a progressive JPEG is unpacked whole' };
}

/**
 * Reads the beginning of an image file.
 * @throws CorruptFileError when it is no image; UnsupportedError when it would take too much memory
 */
export async function readImageHeader(file: ImageFile): Promise<ImageHeader> {
  const sharp = await loadSharp();
  let stored;
  try {
    // The limit is checked below, in words of ours.
    stored = await sharp(file.path, { ...decoding, limitInputPixels: false }).metadata();
  } catch (cause) {
    throw unreadableImage(file, cause);
  }
  const { width, height, channels, orientation = 1, space, depth, pages = 1 } = stored;
  if (!width || !height) throw unreadableImage(file, new Error('it has no pixels'));
  const tooLarge = (reason: string): UnsupportedError =>
    new UnsupportedError(
      `The image ${file.name} has ${width} × ${height} pixels${reason}.`,
      advise`Make it smaller, or leave out what cannot be read${by('leaveOutBroken')}.`,
    );
  if (width * height > largestImagePixels) {
    throw tooLarge(`, more than the ${largestImagePixels / 1e6} million that are read`);
  }
  const whole = wholeBytes(stored);
  if (whole.bytes > mostDecoderBytes) {
    const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
    throw tooLarge(
      `: ${whole.why}, which takes about ${mebibytes(whole.bytes)}, more than the ${mebibytes(mostDecoderBytes)} that an image may take`,
    );
  }
  const turned = orientation > 4;
  const sample = depth === 'ushort' ? 2 : 1;
  return {
    width: turned ? height : width,
    height: turned ? width : height,
    orientation,
    inks: space === 'cmyk',
    deepGrey: space === 'grey16' && channels === 1,
    frames: pages,
    bytesToDecode:
      decoderOverhead + whole.bytes + Math.min(width * height, bandPixels) * (3 + 4 * sample),
  };
}

/** A rectangle of the stored image. */
interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Unpacks a region of the stored image, not turned. */
async function decodeRegion(file: ImageFile, header: ImageHeader, region: Region): Promise<Pixels> {
  const sharp = await loadSharp();
  try {
    const image = sharp(file.path, decoding);
    const coloured = header.inks
      ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
      : image.removeAlpha().toColourspace('srgb');
    const { data, info } = await coloured
      .extract(region)
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (header.inks && channels >= 4) {
      return { width, height, channels: 3, data: lightOfInks(data, channels) };
    }
    if (channels !== 1 && channels !== 3) throw new Error(`it has ${channels} channels`);
    return { width, height, channels, data };
  } catch (cause) {
    throw unreadableImage(file, cause);
  }
}

/** Cyan, magenta, yellow and black as the Python Imaging Library makes red, green and blue of them. */
function lightOfInks(inks: Uint8Array, channels: number): Uint8Array {
  const count = inks.length / channels;
  const light = new Uint8Array(count * 3);
  for (let pixel = 0; pixel < count; pixel++) {
    const white = 255 - inks[pixel * channels + 3]!;
    for (let ink = 0; ink < 3; ink++) {
      const product = inks[pixel * channels + ink]! * white + 128;
      light[pixel * 3 + ink] = white - (((product >> 8) + product) >> 8);
    }
  }
  return light;
}

/** Whether the stored image's columns (x) or rows (y) run backwards, by EXIF's number. */
const backwards = {
  x: (orientation: number): boolean => [2, 3, 7, 8].includes(orientation),
  y: (orientation: number): boolean => [3, 4, 6, 7].includes(orientation),
};

/** Turns stored pixels upright. @param orientation EXIF's number */
export function turnUpright(pixels: Pixels, orientation: number): Pixels {
  if (!(orientation > 1 && orientation <= 8)) return pixels;
  const { channels, data } = pixels;
  const turned = orientation > 4;
  const width = turned ? pixels.height : pixels.width;
  const height = turned ? pixels.width : pixels.height;
  const result = new Uint8Array(data.length);
  const [flipX, flipY] = [backwards.x(orientation), backwards.y(orientation)];
  for (let row = 0, into = 0; row < height; row++) {
    for (let column = 0; column < width; column++, into += channels) {
      const [x, y] = turned ? [row, column] : [column, row];
      const storedX = flipX ? pixels.width - 1 - x : x;
      const storedY = flipY ? pixels.height - 1 - y : y;
      const from = (storedY * pixels.width + storedX) * channels;
      for (let channel = 0; channel < channels; channel++) {
        result[into + channel] = data[from + channel]!;
      }
    }
  }
  return { width, height, channels, data: result };
}

/** The part of the stored image that rows [first, last) of the upright one come from. */
function storedRegion(header: ImageHeader, first: number, last: number): Region {
  const { orientation, width, height } = header;
  const length = last - first;
  if (orientation > 4) {
    const left = backwards.x(orientation) ? height - last : first;
    return { left, top: 0, width: length, height: width };
  }
  const top = backwards.y(orientation) ? height - last : first;
  return { left: 0, top, width, height: length };
}

/**
 * Unpacks an image from top to bottom, upright, in bands of so few rows that each takes little memory.
 * Each band after the first decodes what lies before it again.
 * @param most pixels in a band
 * @throws CorruptFileError naming the image when it cannot be decoded
 */
export async function* imageBands(
  file: ImageFile,
  header: ImageHeader,
  most = bandPixels,
): AsyncGenerator<Pixels> {
  const { width, height, orientation } = header;
  const rows = Math.max(1, Math.floor(most / width));
  for (let first = 0; first < height; first += rows) {
    const region = storedRegion(header, first, Math.min(height, first + rows));
    yield turnUpright(await decodeRegion(file, header, region), orientation);
  }
}

/** Decodes an image to its end and keeps nothing. @throws CorruptFileError where that cannot be done */
export async function checkImage(file: ImageFile, header: ImageHeader): Promise<void> {
  const [width, height] =
    header.orientation > 4 ? [header.height, header.width] : [header.width, header.height];
  await decodeRegion(file, header, { left: 0, top: height - 1, width, height: 1 });
}
