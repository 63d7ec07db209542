import { basename, join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { CorruptFileError, UserError } from '../errors';
import { atMost } from './atMost';
import { boundedCache } from './boundedCache';
import { listClassFolders, subfolders } from './classFolders';
import { readIdx } from './idx';
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
  readonly notes: readonly string[];
  image(index: number): ImageInput;
}

/** Prepared images are kept up to this many bytes, which spares small sets the decoding. */
const cachedBytes = 128 * 1024 * 1024;

/** Large photographs take hundreds of megabytes unpacked, so only this many are at a time. */
const preparedAtOnce = 4;

/** What the held-out folder beside a `train` folder may be called. */
const heldOutNames = ['validation', 'valid', 'val', 'test'];

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
  const names = await readdir(folder);
  const imageName = idxFile(names, split, 'images');
  if (imageName === undefined) return undefined;
  const labelName = idxFile(names, split, 'labels');
  if (labelName === undefined) {
    throw new UserError(
      `The folder ${folder} has ${imageName} but no labels for it.`,
      `Put ${split}-labels-idx1-ubyte.gz beside it.`,
    );
  }
  const images = await readIdx(join(folder, imageName), 3);
  const { values } = await readIdx(join(folder, labelName), 1);
  const [count = 0, height = 0, width = 0] = images.dimensions;
  if (values.length !== count) {
    throw new CorruptFileError(
      `${labelName} has ${values.length} labels for the ${count} images of ${imageName}.`,
      'Download both files again, from the same place.',
    );
  }
  if (count === 0 || height === 0 || width === 0) {
    throw new UserError(`${imageName} holds no images.`, 'Download the file again.');
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
    files: [await singleFile(join(folder, imageName)), await singleFile(join(folder, labelName))],
    notes: [],
    image: index => ({
      width,
      height,
      channels: 1,
      data: images.values.subarray(index * area, (index + 1) * area),
    }),
  };
}

async function folderSet(folder: string, labels: readonly string[] | undefined): Promise<ImageSet> {
  const listed = await listClassFolders(folder, labels);
  return { ...listed, count: listed.files.length, image: index => listed.files[index]! };
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

/**
 * Opens images for training, and those for evaluation where the data come with them: MNIST's t10k
 * files, or a folder `validation` (`valid`, `val`, `test`) beside a folder `train`.
 * @throws UserError when there are no images or labels the model has no class for
 */
export async function openImageSets(
  path: string,
  evaluationPath: string | undefined,
  labels: readonly string[] | undefined,
): Promise<ImageSets> {
  await requireFolder(path);
  const idx = await idxSet(path, 'train', labels);
  const folders = await subfolders(path);
  const isSplit =
    !idx && folders.includes('train') && (await subfolders(join(path, 'train'))).length > 0;
  const train = idx ?? (await folderSet(isSplit ? join(path, 'train') : path, labels));
  const classes = labels ?? train.classes;
  if (evaluationPath !== undefined) {
    await requireFolder(evaluationPath);
    const set =
      (await idxSet(evaluationPath, 't10k', classes)) ??
      (await idxSet(evaluationPath, 'train', classes)) ??
      (await folderSet(evaluationPath, classes));
    return { train, heldOut: { set, name: `separate images: ${basename(evaluationPath)}` } };
  }
  if (idx) {
    const set = await idxSet(path, 't10k', classes);
    return { train, heldOut: set && { set, name: 'the t10k files' } };
  }
  const name = isSplit ? heldOutNames.find(each => folders.includes(each)) : undefined;
  if (name === undefined) return { train };
  const set = await folderSet(join(path, name), classes);
  return { train, heldOut: { set, name: `the folder ${name}` } };
}

/** Prepared images of a set by their index, lately used ones from memory. */
export function pixelReader(
  set: ImageSet,
  preprocessor: PreprocessorConfig,
  imageSize: number,
): { read(index: number): Promise<Pixels>; clear(): void } {
  const cache = boundedCache<Pixels>(cachedBytes, ({ data }) => data.length);
  const inTurn = atMost(preparedAtOnce);
  return {
    async read(index) {
      const cached = cache.get(index);
      if (cached) return cached;
      const input = set.image(index);
      const pixels = await inTurn(() => preparePixels(input, preprocessor, imageSize));
      // What was in memory already and left as it was needs no second place there.
      if (pixels !== input) cache.set(index, pixels);
      return pixels;
    },
    clear: () => cache.clear(),
  };
}
