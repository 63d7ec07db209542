import { basename, join } from 'node:path';
import { CorruptFileError, UnsupportedError, UserError, type Note } from '../errors';
import { counted } from '../format';
import { atMost } from './atMost';
import { boundedCache } from './boundedCache';
import { listClassFolders, partNames, topOf } from './classFolders';
import { readIdx } from './idx';
import {
  checkImages,
  decodingBytes,
  type BackgroundCheck,
  type ImageCheckOptions,
} from './imageCheck';
import { largestImagePixels } from './imageFile';
import { listed } from './note';
import { preparePixels, type ImageInput } from './pixels';
import type { PreprocessorConfig } from './preprocessor';
import type { Pixels } from './resample';
import { isFolder, singleFile, type SourceFile } from './sourceFiles';

/** Labelled images, decoded when they are asked for. */
export interface ImageSet {
  readonly count: number;
  /** [count] */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  /** What is hashed for the receipt. */
  readonly files: readonly SourceFile[];
  readonly notes: readonly Note[];
  /** Goes on while a run does, where images are files. */
  readonly background?: BackgroundCheck | undefined;
  image(index: number): ImageInput;
}

/** Prepared images are kept up to this many bytes, which spares small sets the decoding. */
const cachedBytes = 128 * 1024 * 1024;

/** MNIST's file of images or labels of a split, plain or gzipped, among a folder's files. */
function idxFile(names: readonly string[], split: string, kind: string): string | undefined {
  const stem = `${split}-${kind}-idx${kind === 'images' ? 3 : 1}-ubyte`;
  const spellings = [stem, stem.replace('-idx', '.idx')];
  return spellings.flatMap(name => [name, `${name}.gz`]).find(name => names.includes(name));
}

/** The images of one split of a folder of IDX files, or undefined where it has none. */
async function idxSet(
  folder: string,
  split: 'train' | 't10k',
  labels: readonly string[] | undefined,
): Promise<ImageSet | undefined> {
  const { files: names, folders } = await topOf(folder);
  const imageName = idxFile(names, split, 'images');
  if (imageName === undefined) return undefined;
  const labelName = idxFile(names, split, 'labels');
  if (labelName === undefined) {
    throw new UserError(
      `The folder ${folder} has ${imageName} but no labels for it.`,
      `Put ${split}-labels-idx1-ubyte.gz beside it.`,
    );
  }
  const files = [
    await singleFile(join(folder, imageName)),
    await singleFile(join(folder, labelName)),
  ];
  const images = await readIdx(join(folder, imageName), 3);
  const { values } = await readIdx(join(folder, labelName), 1);
  const [count = 0, height = 0, width = 0] = images.dimensions;
  if (values.length !== count) {
    throw new CorruptFileError(
      `${labelName} has ${counted(values.length, 'label')} for the ${counted(count, 'image')} of ${imageName}.`,
      'Download both files again, from the same place.',
    );
  }
  if (count === 0 || height === 0 || width === 0) {
    throw new UserError(`${imageName} holds no images.`, 'Download the file again.');
  }
  if (height * width > largestImagePixels) {
    throw new UnsupportedError(
      `The images of ${imageName} have ${width} × ${height} pixels, more than the ${largestImagePixels / 1e6} million that are read.`,
      'Make them smaller.',
    );
  }
  const largest = values.reduce((most, label) => Math.max(most, label), 0);
  const classes = labels ?? Array.from({ length: largest + 1 }, (_, index) => String(index));
  if (largest >= classes.length) {
    throw new UserError(
      `${labelName} has labels up to ${largest}, but the model has ${classes.length} classes.`,
      'Train a model with as many classes as the data has, or give other data.',
    );
  }
  const area = height * width;
  return {
    count,
    labels: Int32Array.from(values),
    classes,
    files,
    notes: split === 'train' ? besideIdx(folder, names, folders) : [],
    image: index => ({
      width,
      height,
      channels: 1,
      data: images.values.subarray(index * area, (index + 1) * area),
    }),
  };
}

/** Says what lies beside IDX files and is not read. */
function besideIdx(folder: string, names: readonly string[], folders: readonly string[]): Note[] {
  const others = [
    ...names.filter(name => !/idx[13]-ubyte(\.gz)?$/.test(name)),
    ...folders.map(name => `${name}/`),
  ];
  if (others.length === 0) return [];
  return [
    {
      message: `Of ${folder}, only the IDX files are read: ${listed(others)} ${others.length === 1 ? 'is' : 'are'} left out.`,
      remedy: 'Give a folder without IDX files to read its class folders.',
    },
  ];
}

/** Class folders, all of whose images were looked at. */
async function folderSet(
  folder: string,
  labels: readonly string[] | undefined,
  check: ImageCheckOptions,
): Promise<ImageSet> {
  const listed = await listClassFolders(folder, labels);
  const { headers, notes, background } = await checkImages(listed.files, check);
  const kept = [...headers.keys()].filter(index => headers[index] !== undefined);
  if (kept.length === 0) {
    background.stop();
    throw new UserError(
      `None of the ${counted(listed.files.length, 'image')} in ${folder} can be read.`,
      'Give images in .png, .jpg or .webp.',
    );
  }
  return {
    ...listed,
    files: kept.map(index => listed.files[index]!),
    labels: Int32Array.from(kept, index => listed.labels[index]!),
    count: kept.length,
    notes: [...listed.notes, ...notes],
    background,
    image: index => {
      const at = kept[index]!;
      return { file: listed.files[at]!, header: headers[at]! };
    },
  };
}

async function requireFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  throw new UserError(
    `${path} is a file, and images come in a folder.`,
    'Give a folder with one sub-folder of images for each class, or the folder of the IDX files.',
  );
}

/** A set that was separated by whoever made the data, and how the receipt calls that. */
export interface ImageSets {
  readonly train: ImageSet;
  readonly heldOut?: { readonly set: ImageSet; readonly name: string } | undefined;
}

/** The folder of a part of the set, by what such parts are called. */
const partOf = (folders: readonly string[], names: readonly string[]): string | undefined =>
  names
    .map(name => folders.find(folder => folder.toLowerCase() === name))
    .find(folder => folder !== undefined);

/** The folder to train on, where a set is divided into parts; undefined where it is not. */
async function trainingPart(
  path: string,
  folders: readonly string[],
  labels: readonly string[] | undefined,
): Promise<string | undefined> {
  const name = partOf(folders, partNames.train);
  if (name === undefined || labels?.includes(name)) return undefined;
  const inside = await topOf(join(path, name));
  return inside.folders.length > 0 ? name : undefined;
}

/** Says which folders beside the parts that are used are not read. */
function unusedNotes(path: string, folders: readonly string[], used: readonly string[]): Note[] {
  const others = folders.filter(folder => !used.includes(folder));
  if (others.length === 0) return [];
  return [
    {
      message: `Of ${path}, only ${used.join(' and ')} ${used.length === 1 ? 'is' : 'are'} read: ${listed(others)} ${others.length === 1 ? 'is' : 'are'} left out.`,
      remedy: 'Move the images there if they are to be used.',
    },
  ];
}

export interface ImageSetOptions extends ImageCheckOptions {
  readonly path: string;
  readonly evaluationPath?: string | undefined;
  /** The model's classes in their order. */
  readonly labels?: readonly string[] | undefined;
}

/**
 * Opens images for training, and those for evaluation where the data come with them: MNIST's t10k
 * files, or a folder `validation` (`valid`, `val`, `dev`, `test`, …) beside a folder `train`. Files are
 * looked at before: see `checkImages`.
 * @throws UserError when there are no images, labels the model has no class for, or broken images
 */
export async function openImageSets(options: ImageSetOptions): Promise<ImageSets> {
  const { path, evaluationPath, labels } = options;
  await requireFolder(path);
  const idx = await idxSet(path, 'train', labels);
  const { folders } = await topOf(path);
  const part = idx ? undefined : await trainingPart(path, folders, labels);
  const inside = part === undefined ? path : join(path, part);
  const heldOutPart = part === undefined ? undefined : partOf(folders, partNames.heldOut);
  const listedTrain = idx ?? (await folderSet(inside, labels, options));
  const used = [part, evaluationPath === undefined ? heldOutPart : undefined];
  const unused =
    part === undefined
      ? []
      : unusedNotes(
          path,
          folders,
          used.filter(name => name !== undefined),
        );
  const train = { ...listedTrain, notes: [...unused, ...listedTrain.notes] };
  const classes = labels ?? train.classes;
  try {
    if (evaluationPath !== undefined) {
      await requireFolder(evaluationPath);
      const set =
        (await idxSet(evaluationPath, 't10k', classes)) ??
        (await idxSet(evaluationPath, 'train', classes)) ??
        (await folderSet(evaluationPath, classes, options));
      return { train, heldOut: { set, name: `separate images: ${basename(evaluationPath)}` } };
    }
    if (idx) {
      const set = await idxSet(path, 't10k', classes);
      return { train, heldOut: set && { set, name: 'the t10k files' } };
    }
    if (heldOutPart === undefined) return { train };
    const set = await folderSet(join(path, heldOutPart), classes, options);
    return { train, heldOut: { set, name: `the folder ${heldOutPart}` } };
  } catch (error) {
    train.background?.stop();
    throw error;
  }
}

/** Prepared images of a set by their index, lately used ones from memory. */
export function pixelReader(
  set: ImageSet,
  preprocessor: PreprocessorConfig,
  imageSize: number,
): { read(index: number): Promise<Pixels>; clear(): void } {
  const cache = boundedCache<Pixels>(cachedBytes, ({ data }) => data.length);
  const withinMemory = atMost(decodingBytes);
  return {
    async read(index) {
      const cached = cache.get(index);
      if (cached) return cached;
      const input = set.image(index);
      const weight = 'file' in input ? input.header.bytesToDecode : input.data.length;
      const prepare = (): Promise<Pixels> => preparePixels(input, preprocessor, imageSize);
      const pixels = await withinMemory(prepare, weight);
      // What was in memory already and left as it was needs no second place there.
      if (pixels !== input) cache.set(index, pixels);
      return pixels;
    },
    clear: () => cache.clear(),
  };
}
