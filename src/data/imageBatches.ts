import { UnsupportedError, UserError, type Note } from '../errors';
import { counted } from '../format';
import type { Batch, BatchSource } from './batches';
import { epochs } from './epochs';
import { openImageSets, pixelReader, type ImageSet, type ImageSets } from './imageSource';
import { listed, notesOnBoth } from './note';
import { requireShare, requireWhole } from './optionChecks';
import { normaliseInto } from './pixels';
import type { PreprocessorConfig } from './preprocessor';
import { describeFiles } from './unchanged';
import { permutation, randomGenerator, randomStreams } from '../random';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

export interface ImageBatchOptions {
  /** A folder with one sub-folder a class, or with MNIST's IDX files. */
  readonly path: string;
  /** Images to evaluate on; without it those that come with the data, else a share is held out. */
  readonly evaluationPath?: string | undefined;
  readonly preprocessor: PreprocessorConfig;
  /** 1 or 3. */
  readonly numChannels: number;
  /** Side of the square image the model takes, in pixels. */
  readonly imageSize: number;
  /** The model's classes in the order of its `id2label`. */
  readonly labels?: readonly string[] | undefined;
  readonly batchSize: number;
  readonly seed: number;
  /** Share of the images that is held out; 0.05 unless told. */
  readonly heldOutFraction?: number | undefined;
  /** As many as show the held-out images about once, 16 at most, unless told. */
  readonly evaluationBatches?: number | undefined;
  /** Leave out images that cannot be read instead of refusing them. */
  readonly leaveOutBroken?: boolean | undefined;
  /** What `openImageSets` opened, where that was done before. */
  readonly sets?: ImageSets | undefined;
}

export interface ImageBatchSource extends BatchSource {
  /** What the targets are numbers of. */
  readonly classes: readonly string[];
  readonly trainImages: number;
  readonly heldOutImages: number;
}

const mostEvaluationBatches = 16;

/** Which images of a set a part consists of. */
export interface ImagePart {
  readonly set: ImageSet;
  readonly indices: Int32Array;
}

function checkOptions(options: ImageBatchOptions): void {
  const { heldOutFraction = 0.05, evaluationBatches = 1, preprocessor, numChannels } = options;
  requireWhole('batch size', options.batchSize);
  requireWhole('number of evaluation batches', evaluationBatches);
  requireWhole('image size', options.imageSize);
  requireShare(heldOutFraction);
  if (numChannels !== 1 && numChannels !== 3) {
    throw new UnsupportedError(
      `The model takes images of ${numChannels} channels; only grey (1) and colour (3) can be read.`,
      'Use a checkpoint with num_channels 1 or 3.',
    );
  }
  for (const list of [preprocessor.mean, preprocessor.standardDeviation]) {
    if (list.length > 1 && list.length !== numChannels) {
      throw new UserError(
        `preprocessor_config.json normalises ${list.length} channels, but the model takes ${numChannels}.`,
        'Give image_mean and image_std one number for each channel of the model.',
      );
    }
  }
}

/** Takes a share of the images away from training, the same for every seed. */
function splitSet(set: ImageSet, fraction: number): { train: ImagePart; heldOut: ImagePart } {
  if (set.count < 2) {
    throw new UserError(
      'There is only one image, so none can be held out for evaluation.',
      advise`Give more images, or separate ones to evaluate on${by('evalData')}.`,
    );
  }
  const order = permutation(set.count, randomGenerator(0, randomStreams.imageSplit));
  const wanted = Math.round(set.count * fraction);
  const heldOut = Math.min(set.count - 1, Math.max(1, wanted));
  return {
    train: { set, indices: order.slice(heldOut).sort() },
    heldOut: { set, indices: order.slice(0, heldOut).sort() },
  };
}

const wholeSet = (set: ImageSet): ImagePart => ({
  set,
  indices: Int32Array.from({ length: set.count }, (_, index) => index),
});

/** What is trained on and what is held out: as whoever made the data says, else a share of it. */
export const imageParts = (
  { train, heldOut }: ImageSets,
  heldOutFraction = 0.05,
): { readonly train: ImagePart; readonly heldOut: ImagePart } =>
  heldOut
    ? { train: wholeSet(train), heldOut: wholeSet(heldOut.set) }
    : splitSet(train, heldOutFraction);

/**
 * Which of `count` held-out images come at the positions of all held-out batches together: evenly over the
 * set, which may be sorted by class; a small set is shown more than once.
 */
export const scoredImages = (count: number, positions: number): readonly number[] =>
  Array.from({ length: positions }, (_, position) =>
    positions <= count ? Math.floor((position * count) / positions) : position % count,
  );

/** Fewer held-out images than this tell little: one of them is a percent or more. */
const fewHeldOut = 100;

/** Says so when a part is too small for what it is used for. */
function splitNotes(
  { train, heldOut }: { readonly train: ImagePart; readonly heldOut: ImagePart },
  classes: readonly string[],
): Note[] {
  const notes: Note[] = [];
  const seen = (part: ImagePart): Set<number> =>
    new Set([...part.indices].map(index => part.set.labels[index]!));
  const trained = seen(train);
  const untrained = [...seen(heldOut)].filter(label => !trained.has(label)).sort((a, b) => a - b);
  if (untrained.length > 0) {
    notes.push({
      message: `${counted(untrained.length, 'class is', 'classes are')} only held out, and no image is left to learn from: ${listed(untrained.map(label => classes[label] ?? String(label)))}.`,
      remedy: advise`Give more images, or separate ones to evaluate on${by('evalData')}.`,
    });
  }
  const count = heldOut.indices.length;
  if (count < fewHeldOut) {
    notes.push({
      message: `Only ${counted(count, 'image is', 'images are')} held out, so accuracy comes in steps of ${Number((100 / count).toPrecision(2))} %.`,
      remedy: advise`Give more images, or separate ones to evaluate on${by('evalData')}.`,
    });
  }
  return notes;
}

/** Ends what is still checked of sets that are not used any more. */
export function stopChecking({ train, heldOut }: ImageSets): void {
  train.background?.stop();
  heldOut?.set.background?.stop();
}

/**
 * Batches of labelled images, each epoch in an order of its own.
 *
 * `pixel_values` [batch × numChannels × imageSize × imageSize], channel first; `targets` [batch],
 * class numbers; `weights` [batch], each 1 / batch. A batch that an epoch's end falls into goes on
 * with the next epoch, so batches are always full.
 * @throws UserError as `openImageSets` does, or when preprocessor and model disagree on sizes;
 * `train` and `evaluate` throw CorruptFileError naming an image found broken since
 */
export async function openImageBatches(options: ImageBatchOptions): Promise<ImageBatchSource> {
  checkOptions(options);
  const { preprocessor, numChannels, imageSize, batchSize, seed, labels } = options;
  const sets = options.sets ?? (await openImageSets(options));
  const { train, heldOut } = imageParts(sets, options.heldOutFraction);
  const trainReader = pixelReader(train.set, preprocessor, imageSize);
  const heldOutReader =
    heldOut.set === train.set ? trainReader : pixelReader(heldOut.set, preprocessor, imageSize);

  const imageValues = numChannels * imageSize * imageSize;

  async function toBatch(
    part: ImagePart,
    reader: typeof trainReader,
    chosen: readonly number[],
  ): Promise<Batch> {
    part.set.background?.throwIfFailed();
    const values = new Float32Array(batchSize * imageValues);
    const targets = new Int32Array(batchSize);
    await Promise.all(
      chosen.map(async (at, row) => {
        const index = part.indices[at]!;
        const pixels = await reader.read(index);
        if (pixels.width !== imageSize || pixels.height !== imageSize) {
          throw new UserError(
            `Images come out of preprocessor_config.json as ${pixels.width} × ${pixels.height} pixels, but the model takes ${imageSize} × ${imageSize}.`,
            `Set "do_resize" and "size" (or "crop_size") in it to ${imageSize}.`,
          );
        }
        const start = row * imageValues;
        normaliseInto(
          values.subarray(start, start + imageValues),
          pixels,
          numChannels,
          preprocessor,
        );
        targets[row] = part.set.labels[index]!;
      }),
    );
    const weights = new Float32Array(batchSize).fill(1 / batchSize);
    return { pixel_values: values, targets, weights };
  }

  const shown = epochs(train.indices.length, seed, randomStreams.imageOrder);

  const heldOutCount = heldOut.indices.length;
  const evaluationBatches =
    options.evaluationBatches ??
    Math.min(mostEvaluationBatches, Math.max(1, Math.floor(heldOutCount / batchSize)));
  const scored = scoredImages(heldOutCount, evaluationBatches * batchSize);

  const separate = sets.heldOut;
  const files = separate
    ? [
        ...sets.train.files,
        ...separate.set.files.map(file => ({ ...file, name: `evaluation: ${file.name}` })),
      ]
    : sets.train.files;
  const described = await describeFiles(
    files,
    separate?.name ?? `${heldOutCount} of ${sets.train.count} images, drawn once for all seeds`,
  );

  return {
    itemsPerBatch: batchSize,
    unit: 'images',
    evaluationBatches,
    ...described,
    classes: labels ?? sets.train.classes,
    trainImages: train.indices.length,
    heldOutImages: heldOutCount,
    notes: [
      ...notesOnBoth(sets.train.notes, sets.heldOut?.set.notes ?? []),
      ...splitNotes({ train, heldOut }, labels ?? sets.train.classes),
    ],
    train(step) {
      const chosen = Array.from({ length: batchSize }, (_, row) =>
        shown.at(step * batchSize + row),
      );
      return toBatch(train, trainReader, chosen);
    },
    evaluate(index) {
      if (!(Number.isInteger(index) && index >= 0 && index < evaluationBatches)) {
        throw new RangeError(`evaluate(${index}): there are ${evaluationBatches} batches`);
      }
      const chosen = scored.slice(index * batchSize, (index + 1) * batchSize);
      return toBatch(heldOut, heldOutReader, chosen);
    },
    close() {
      trainReader.clear();
      heldOutReader.clear();
      shown.clear();
      // Sets that others opened are theirs to stop.
      if (!options.sets) stopChecking(sets);
      return Promise.resolve();
    },
  };
}
