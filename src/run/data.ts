import type { Architecture } from '../architecture';
import type { BatchSource } from '../data/batches';
import { openImageBatches, stopChecking } from '../data/imageBatches';
import { openImageSets, type ImageSets } from '../data/imageSource';
import {
  maskedPositions,
  openCausalBatches,
  openMaskedBatches,
  wrapsSequences,
} from '../data/languageBatches';
import { loadPreprocessor, type PreprocessorConfig } from '../data/preprocessor';
import { listed } from '../data/note';
import { surveyTextSource, type LineSeparator, type TextSourceSurvey } from '../data/textSource';
import { loadTokenizer, type TextTokenizer } from '../data/tokenizer';
import { CorruptFileError, UnsupportedError, UsageError, type Note } from '../errors';
import { counted } from '../format';
import { imageSize, type BatchShape } from '../training';
import { notesOnPadding, withPositions } from './positions';
import { aroundNotes, tokenizerWithin } from './tokenizerWithin';
import { usualBatch } from './usualBatch';

/** Where data comes from and how it is cut into batches. */
export interface DataOptions {
  readonly data: string;
  readonly evaluationData?: string | undefined;
  readonly batchSize?: number | undefined;
  readonly sequenceLength?: number | undefined;
  readonly evaluationBatches?: number | undefined;
  readonly seed: number;
  /** Leave out images that cannot be read instead of refusing them. */
  readonly leaveOutBroken?: boolean | undefined;
  /** What stands between lines of text for causal models; see `chooseSeparator`. */
  readonly separator?: LineSeparator | undefined;
}

/** An open data source with the static shape of its batches. */
export interface OpenData {
  readonly batches: BatchSource;
  readonly shape: BatchShape;
  /** Number of classes a target can have. */
  readonly classes: number;
  /** Things a person should know that are no errors. */
  readonly notes: readonly Note[];
}

/** The files of a data source, found and looked at once; what opens them again need not do so. */
export interface DataSurvey {
  readonly text?: TextSourceSurvey;
  readonly images?: ImageSurvey;
  /** Ends what is still looked at. */
  close(): void;
}

/** Images that were looked at, and how they are to be prepared. */
interface ImageSurvey {
  readonly sets: ImageSets;
  readonly preprocessor: PreprocessorConfig;
  readonly labels: readonly string[] | undefined;
  readonly notes: readonly Note[];
}

/**
 * Finds the files of a data source and looks at all of them, before anything is computed.
 * @throws UserError naming what cannot be read
 */
export async function surveyData(
  architecture: Architecture,
  directory: string,
  options: Pick<DataOptions, 'data' | 'evaluationData' | 'leaveOutBroken'>,
): Promise<DataSurvey> {
  const { data: path, evaluationData: evaluationPath, leaveOutBroken } = options;
  if (architecture.objective !== 'image-classification') {
    return { text: await surveyTextSource({ path, evaluationPath }), close: () => undefined };
  }
  const { preprocessor, notes } = await loadPreprocessor(directory);
  const { labels, notes: labelNotes } = labelsOf(architecture);
  const side = requiredImageSize(architecture);
  const task = { path, evaluationPath, labels, preprocessor, imageSize: side, leaveOutBroken };
  const sets = await openImageSets(task);
  return {
    images: { sets, preprocessor, labels, notes: [...notes, ...labelNotes] },
    close: () => stopChecking(sets),
  };
}

/** Static batch shape of an architecture before any data is opened, for plans. */
export function batchShape(architecture: Architecture, options: Partial<DataOptions>): BatchShape {
  const { objective } = architecture;
  const usual = usualBatch(architecture);
  const batchSize = options.batchSize ?? usual.size;
  if (!usual.sequence) return { batchSize, sequenceLength: 1, targets: batchSize };
  const sequenceLength = options.sequenceLength ?? usual.sequence.length;
  const targets =
    objective === 'causal-language-modeling'
      ? batchSize * (sequenceLength - 1)
      : maskedPositions(batchSize, sequenceLength, true);
  return { batchSize, sequenceLength, targets };
}

/**
 * Opens data as the architecture's objective reads it, with the checkpoint's own preprocessing.
 * @param survey what `surveyData` found of it; done anew unless given
 */
export async function openData(
  architecture: Architecture,
  directory: string,
  options: DataOptions,
  survey?: DataSurvey,
): Promise<OpenData> {
  if (architecture.objective !== 'image-classification') {
    return openText(architecture, directory, options, survey?.text);
  }
  if (survey?.images) return openImages(architecture, options, survey.images);
  const own = await surveyData(architecture, directory, options);
  const { batches, ...rest } = await openImages(architecture, options, own.images!);
  const close = (): Promise<void> => {
    own.close();
    return batches.close();
  };
  return { ...rest, batches: { ...batches, close } };
}

async function openText(
  architecture: Architecture,
  directory: string,
  options: DataOptions,
  survey: TextSourceSurvey | undefined,
): Promise<OpenData> {
  const shape = batchShape(architecture, options);
  const { sequenceLength } = shape;
  const positions = usualBatch(architecture).sequence?.longest;
  if (positions !== undefined && sequenceLength > positions) {
    throw new UsageError(
      `A sequence of ${sequenceLength} tokens is longer than the model's ${counted(positions, 'position')}.`,
      `Give --sequence-length ${positions} or less.`,
    );
  }
  const tokenizer = await loadTokenizer(directory);
  try {
    return await openTokenized(architecture, tokenizer, options, { shape, survey });
  } catch (error) {
    await tokenizer.close();
    throw error;
  }
}

/** Batches of text that close the tokenizer with them. */
async function openTokenized(
  architecture: Architecture,
  whole: TextTokenizer,
  options: DataOptions,
  { shape, survey }: { shape: BatchShape; survey: TextSourceSurvey | undefined },
): Promise<OpenData> {
  const { batchSize, sequenceLength } = shape;
  const classes = architecture.spaceSizes.get('vocabulary') ?? 0;
  const { tokenizer, notes } = tokenizerWithin(whole, classes);
  const { separator } = options;
  if (Array.isArray(separator) && separator.some(id => id >= classes)) {
    throw new UnsupportedError(
      `The model has no embedding for the token between lines, ${separator.join(', ')}: it knows ${classes}.`,
      'Join lines by a line feed or by nothing (--line-separator newline or none).',
    );
  }
  const common = {
    path: options.data,
    evaluationPath: options.evaluationData,
    tokenizer,
    batchSize,
    sequenceLength,
    seed: options.seed,
    evaluationBatches: options.evaluationBatches,
    separator,
    survey,
  };
  const masked = architecture.objective === 'masked-language-modeling';
  const batches = masked ? await openMaskedBatches(common) : await openCausalBatches(common);
  const targets = masked
    ? maskedPositions(batchSize, sequenceLength, wrapsSequences(tokenizer))
    : shape.targets;
  return {
    batches: {
      ...withPositions(architecture, batches, sequenceLength),
      async close() {
        try {
          await batches.close();
        } finally {
          await tokenizer.close();
        }
      },
    },
    shape: { ...shape, targets },
    classes,
    notes: [
      ...batches.notes,
      ...notes,
      ...aroundNotes(tokenizer, masked),
      ...notesOnPadding(architecture, tokenizer),
    ],
  };
}

/** The side of the images a model takes. Throws UnsupportedError where they are not square. */
function requiredImageSize({ config }: Architecture): number {
  const [height, width] = imageSize(config);
  if (height === width) return height;
  throw new UnsupportedError(
    `The model takes images of ${height} × ${width} pixels; only square ones can be read.`,
    'Use a checkpoint with one image_size.',
  );
}

async function openImages(
  architecture: Architecture,
  options: DataOptions,
  { sets, preprocessor, labels, notes }: ImageSurvey,
): Promise<OpenData> {
  const shape = batchShape(architecture, options);
  const classes = architecture.spaceSizes.get('class') ?? 0;
  const batches = await openImageBatches({
    path: options.data,
    evaluationPath: options.evaluationData,
    evaluationBatches: options.evaluationBatches,
    preprocessor,
    numChannels: Number(architecture.config['num_channels'] ?? 3),
    imageSize: requiredImageSize(architecture),
    labels,
    batchSize: shape.batchSize,
    seed: options.seed,
    sets,
  });
  if (batches.classes.length > classes) {
    await batches.close();
    throw new UnsupportedError(
      `The data has ${counted(batches.classes.length, 'class', 'classes')}, but the model tells ${classes} apart.`,
      'Use data with the classes the model was trained on.',
    );
  }
  return { batches, shape, classes, notes: [...notes, ...batches.notes] };
}

/**
 * Labels in class order from `id2label`, when the config names them.
 * @throws CorruptFileError where they are not numbered 0, 1, 2, … or more than the model's classes
 */
function labelsOf({ config, spaceSizes }: Architecture): {
  labels: string[] | undefined;
  notes: Note[];
} {
  const named = config['id2label'];
  if (typeof named !== 'object' || named === null) return { labels: undefined, notes: [] };
  const entries = Object.entries(named as Record<string, unknown>).sort(
    ([a], [b]) => Number(a) - Number(b),
  );
  if (entries.some(([key], index) => Number(key) !== index || key.trim() === '')) {
    throw new CorruptFileError(
      `config.json: "id2label" does not number its ${entries.length} classes from 0 on without a gap (${entries
        .slice(0, 5)
        .map(([key]) => key)
        .join(
          ', ',
        )}${entries.length > 5 ? ', …' : ''}), so it does not say which output is which class.`,
      'Correct "id2label" in config.json.',
    );
  }
  const labels = entries.map(([, label]) => String(label));
  const classes = spaceSizes.get('class') ?? labels.length;
  const notes: Note[] = [];
  if (labels.length < classes) {
    notes.push({
      message: `config.json names ${counted(labels.length, 'class', 'classes')} in "id2label", but the model tells ${classes} apart.`,
      remedy: 'Name all classes in "id2label", so that folders can be matched to them.',
    });
  }
  const numbers = config['label2id'];
  const wrong = labels.filter((label, index) => {
    if (typeof numbers !== 'object' || numbers === null) return false;
    const number = (numbers as Record<string, unknown>)[label];
    return number !== undefined && Number(number) !== index && labels.indexOf(label) === index;
  });
  if (wrong.length > 0) {
    notes.push({
      message: `config.json contradicts itself: "label2id" numbers ${listed(wrong)} otherwise than "id2label", which is followed.`,
      remedy: 'Correct "id2label" and "label2id" in config.json.',
    });
  }
  return { labels, notes };
}
