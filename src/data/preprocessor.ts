import { join } from 'node:path';
import { CorruptFileError, UnsupportedError, type Note } from '../errors';
import { isRecord, readJson } from './jsonFiles';
import { resamplings } from './resample';

/** How large an image becomes before it is cropped, in pixels. */
export type ResizeTarget =
  { readonly height: number; readonly width: number } | { readonly shortestEdge: number };

/** What preprocessor_config.json says, with the defaults of transformers' ViTImageProcessor. */
export interface PreprocessorConfig {
  /** undefined: images are not resized, only checked. */
  readonly resize?: ResizeTarget | undefined;
  /** The file says to resize but not to what: to the model's image size. */
  readonly resizeToModel: boolean;
  /** The Python Imaging Library's number: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. */
  readonly resample: number;
  readonly centerCrop?: { readonly height: number; readonly width: number } | undefined;
  /** What a byte is multiplied by; 1 when not rescaled. */
  readonly rescaleFactor: number;
  /** One a channel, or one for all; empty when not normalised. */
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}

/** Steps of other image processors that would change the pixels and that are not done here. */
const unsupportedSteps = ['do_pad', 'do_flip_channel_order', 'do_thumbnail', 'do_align_long_axis'];

const vitMean = 0.5;
const vitStandardDeviation = 0.5;

/**
 * Reads how the checkpoint's images are prepared, so that it sees pixels as it was trained on.
 * Where there is no preprocessor_config.json, timm's `pretrained_cfg` in config.json says it; without that
 * the answer is ViT's own preparation, with a note.
 * @throws CorruptFileError when a field is malformed; UnsupportedError for steps not done here
 */
export async function loadPreprocessor(
  directory: string,
): Promise<{ readonly preprocessor: PreprocessorConfig; readonly notes: readonly Note[] }> {
  const name = 'preprocessor_config.json';
  const json = (await readJson(directory, name)) ?? (await timmPreparation(directory));
  const notes =
    json === undefined
      ? [
          {
            message: `There is no ${name} in ${directory}: images are resized to the model's size, scaled to 0…1 and normalised with mean 0.5 and standard deviation 0.5, as ViT's are.`,
            remedy: 'Put the preprocessor_config.json of the checkpoint it came from beside it.',
          },
        ]
      : [];
  return { preprocessor: parsePreprocessor(json ?? {}, join(directory, name)), notes };
}

/** timm's names of resamplings. */
const interpolations: ReadonlyMap<unknown, number> = new Map([
  ['nearest', 0],
  ['lanczos', 1],
  ['bilinear', 2],
  ['bicubic', 3],
  ['box', 4],
  ['hamming', 5],
]);

/** How timm prepares images for evaluation, by `pretrained_cfg` in its config.json; undefined where there is none. */
async function timmPreparation(directory: string): Promise<Record<string, unknown> | undefined> {
  const config = (await readJson(directory, 'config.json'))?.['pretrained_cfg'];
  if (!isRecord(config) || !Array.isArray(config['input_size'])) return undefined;
  const [, height, width] = config['input_size'] as unknown[];
  const share = Number(config['crop_pct'] ?? 0.875);
  const squash = config['crop_mode'] === 'squash';
  const enlarged = (size: unknown): number => Math.floor(Number(size) / share);
  return {
    size: squash
      ? { height: enlarged(height), width: enlarged(width) }
      : { shortest_edge: enlarged(Math.min(Number(height), Number(width))) },
    resample: interpolations.get(config['interpolation'] ?? 'bicubic') ?? -1,
    do_center_crop: true,
    crop_size: { height, width },
    image_mean: config['mean'] ?? [0.485, 0.456, 0.406],
    image_std: config['std'] ?? [0.229, 0.224, 0.225],
    ...(config['crop_mode'] === 'border' && { do_pad: true }),
  };
}

/** What `loadPreprocessor` does, of parsed JSON; `where` names it in errors. */
export function parsePreprocessor(
  json: Readonly<Record<string, unknown>>,
  where: string,
): PreprocessorConfig {
  const corrupt = (field: string): CorruptFileError =>
    new CorruptFileError(
      `${where}: the field "${field}" is not what it should be (${JSON.stringify(json[field])}).`,
      'Compare it with the preprocessor_config.json of the checkpoint it came from.',
    );
  const unsupported = (what: string): UnsupportedError =>
    new UnsupportedError(
      `${where} asks for ${what}, which is not supported.`,
      'Prepare the images that way beforehand and remove the field.',
    );
  for (const step of unsupportedSteps) if (json[step] === true) throw unsupported(step);
  if (typeof json['crop_pct'] === 'number') throw unsupported('crop_pct');

  const flag = (field: string, otherwise: boolean): boolean => {
    const value = json[field] ?? otherwise;
    if (typeof value !== 'boolean') throw corrupt(field);
    return value;
  };
  const pixels = (value: unknown, field: string): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65_535) {
      throw corrupt(field);
    }
    return value;
  };
  const rectangle = (field: string): { height: number; width: number } | undefined => {
    const value = json[field] ?? undefined;
    if (value === undefined) return undefined;
    if (!isRecord(value)) {
      const side = pixels(value, field);
      return { height: side, width: side };
    }
    return { height: pixels(value['height'], field), width: pixels(value['width'], field) };
  };
  const size = (): ResizeTarget | undefined => {
    const value = json['size'];
    if (!isRecord(value) || !('shortest_edge' in value)) return rectangle('size');
    if (value['longest_edge'] != null) throw unsupported('a longest edge');
    return { shortestEdge: pixels(value['shortest_edge'], 'size') };
  };
  const channels = (field: string, otherwise: number): number[] => {
    const value = json[field] ?? [otherwise];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const isFinite = (entry: unknown): entry is number => Number.isFinite(entry);
    if (list.length === 0 || !list.every(isFinite)) throw corrupt(field);
    return list;
  };

  const resample = json['resample'] ?? 2;
  if (typeof resample !== 'number') throw corrupt('resample');
  const doResize = flag('do_resize', true);
  if (doResize && !resamplings.includes(resample)) throw unsupported(`resampling ${resample}`);
  const rescaleFactor = flag('do_rescale', true) ? (json['rescale_factor'] ?? 1 / 255) : 1;
  if (typeof rescaleFactor !== 'number' || !Number.isFinite(rescaleFactor)) {
    throw corrupt('rescale_factor');
  }
  const normalize = flag('do_normalize', true);
  const standardDeviation = normalize ? channels('image_std', vitStandardDeviation) : [];
  if (standardDeviation.some(value => value <= 0)) throw corrupt('image_std');
  const resize = doResize ? size() : undefined;
  const crop = flag('do_center_crop', false);
  return {
    resize,
    resizeToModel: doResize && resize === undefined,
    resample,
    centerCrop: crop ? (rectangle('crop_size') ?? rectangle('size')) : undefined,
    rescaleFactor,
    mean: normalize ? channels('image_mean', vitMean) : [],
    standardDeviation,
  };
}
