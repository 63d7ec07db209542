import { relative, sep } from 'node:path';
import type { AcceptedInput } from '../../architecture';
import { imageParts, scoredImages, type ImagePart as Chosen } from '../../data/imageBatches';
import type { ImageSets } from '../../data/imageSource';
import type { PreprocessorConfig } from '../../data/preprocessor';
import { UnsupportedError } from '../../errors';
import type { ImageFacts, ImagePart } from '../../handoff/facts';
import type { OpenData } from '../open/openData';

/** Images in a list at most. */
const mostImages = 5_000_000;

type AcceptedImages = Extract<AcceptedInput, { kind: 'images' }>;

/** What Python needs to read the same images, which of them are trained on, and which are scored. */
export function imageFacts(
  { channels, height, width }: AcceptedImages,
  opened: {
    readonly path: string;
    readonly data: OpenData;
    readonly sets: ImageSets;
    readonly preprocessor: PreprocessorConfig;
  },
): ImageFacts {
  const { path, data, sets, preprocessor } = opened;
  const { batches, shape } = data;
  const { train, heldOut } = imageParts(sets);
  if (train.indices.length > mostImages) {
    throw new UnsupportedError(
      `The list of ${train.indices.length.toLocaleString('en')} images would be too long: ${mostImages.toLocaleString('en')} are handed over at most.`,
      'Hand over with a part of the images, and write train.jsonl yourself.',
    );
  }
  const scored = scoredImages(
    heldOut.indices.length,
    batches.evaluationBatches * shape.batchSize,
  ).map(at => heldOut.indices[at]!);
  const { resize, resizeToModel, centerCrop, resample, rescaleFactor } = preprocessor;
  const target = resizeToModel ? { height, width } : resize;
  return {
    kind: 'images',
    path,
    heldOut: batches.description.heldOut,
    heldOutBatch: shape.batchSize,
    train: listed(path, train.set, [...train.indices]),
    scored: listed(path, heldOut.set, scored),
    channels,
    ...(target && { resize: target }),
    ...(centerCrop && { crop: centerCrop }),
    resample,
    rescaleFactor,
    mean: preprocessor.mean,
    standardDeviation: preprocessor.standardDeviation,
  };
}

/** Images of a set as places relative to the data, with their classes. */
function listed(path: string, set: Chosen['set'], indices: readonly number[]): ImagePart {
  const place = (file: string): string => relative(path, file).split(sep).join('/');
  const labelled = (where: (index: number) => string | number): ImagePart['images'] =>
    indices.map(index => [where(index), set.labels[index]!]);
  const first = set.image(0);
  if ('file' in first) return { images: labelled(index => place(fileOf(set, index))) };
  return { idx: place(set.files[0]!.path), images: labelled(index => index) };
}

function fileOf(set: Chosen['set'], index: number): string {
  const image = set.image(index);
  if (!('file' in image)) throw new Error(`image ${index} is no file`);
  return image.file.path;
}
