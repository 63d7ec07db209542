import type { AcceptedInput, Architecture } from '../../architecture';
import { openImageBatches, stopChecking } from '../../data/imageBatches';
import { openImageSets, type ImageSets } from '../../data/imageSource';
import {
  maskedPositions,
  openCausalBatches,
  openMaskedBatches,
  wrapsSequences,
} from '../../data/languageBatches';
import { folderOf, type SmallFiles } from '../../data/jsonFiles';
import { loadPreprocessor, type PreprocessorConfig } from '../../data/preprocessor';
import { surveyTextSource, type TextSourceSurvey } from '../../data/textSource';
import { loadTokenizer, type TextTokenizer } from '../../data/tokenizer';
import { UnsupportedError, UsageError, type Note } from '../../errors';
import { counted } from '../../format';
import { readsLabelledText, type BatchShape } from '../../training';
import { labelsOf } from './classLabels';
import { labelRules, openLabelled, openLabelledSets, type LabelledSurvey } from './labelledData';
import { notesOnPadding, withPositions } from './positions';
import type { DataOptions, OpenData } from './openData';
import { aroundNotes, tokenizerWithin } from './tokenizerWithin';
import { usualBatch } from './usualBatch';
import { by, shorten } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** The files of a data source, found and looked at once; what opens them again need not do so. */
export interface DataSurvey {
  readonly text?: TextSourceSurvey;
  readonly images?: ImageSurvey;
  readonly labelled?: LabelledSurvey;
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
  files: SmallFiles,
  options: Pick<DataOptions, 'data' | 'evaluationData' | 'leaveOutBroken'>,
): Promise<DataSurvey> {
  const { data: path, evaluationData: evaluationPath, leaveOutBroken } = options;
  if (readsLabelledText(architecture)) {
    const labelled = await openLabelledSets(labelRules(architecture), path, evaluationPath);
    return { labelled, close: () => undefined };
  }
  const { accepts } = architecture;
  if (accepts.kind !== 'images') {
    return { text: await surveyTextSource({ path, evaluationPath }), close: () => undefined };
  }
  const { preprocessor, notes } = await loadPreprocessor(folderOf(files));
  const { labels, notes: labelNotes } = labelsOf(architecture);
  const side = requiredImageSize(accepts);
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
  return { batchSize, sequenceLength, targets: targetsIn(objective, batchSize, sequenceLength) };
}

/** Rows of a batch of text that have a target. */
function targetsIn(
  objective: Architecture['objective'],
  batchSize: number,
  sequenceLength: number,
): number {
  switch (objective) {
    case 'causal-language-modeling':
      return batchSize * (sequenceLength - 1);
    case 'sequence-classification':
      return batchSize;
    case 'token-classification':
      return batchSize * sequenceLength;
    default:
      return maskedPositions(batchSize, sequenceLength, true);
  }
}

/**
 * Opens data as the architecture's objective reads it, with the checkpoint's own preprocessing.
 * @param survey what `surveyData` found of it; done anew unless given
 */
export async function openData(
  architecture: Architecture,
  files: SmallFiles,
  options: DataOptions,
  survey?: DataSurvey,
): Promise<OpenData> {
  const { accepts } = architecture;
  if (accepts.kind !== 'images') {
    return openText(architecture, files, options, survey);
  }
  if (survey?.images) return openImages(architecture, accepts, options, survey.images);
  const own = await surveyData(architecture, files, options);
  const { batches, ...rest } = await openImages(architecture, accepts, options, own.images!);
  const close = (): Promise<void> => {
    own.close();
    return batches.close();
  };
  return { ...rest, batches: { ...batches, close } };
}

async function openText(
  architecture: Architecture,
  files: SmallFiles,
  options: DataOptions,
  survey: DataSurvey | undefined,
): Promise<OpenData> {
  const shape = batchShape(architecture, options);
  const { sequenceLength } = shape;
  const positions = usualBatch(architecture).sequence?.longest;
  if (positions !== undefined && sequenceLength > positions) {
    throw new UsageError(
      `A sequence of ${sequenceLength} tokens is longer than the model's ${counted(positions, 'position')}.`,
      advise`${shorten(positions)}.`,
    );
  }
  const tokenizer = await loadTokenizer(files);
  try {
    if (!readsLabelledText(architecture)) {
      return await openTokenized(architecture, tokenizer, options, { shape, survey: survey?.text });
    }
    const { labelled } = survey ?? (await surveyData(architecture, files, options));
    return await openLabelled(architecture, tokenizer, options, {
      shape,
      files,
      survey: labelled!,
    });
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
      advise`Join lines by a line feed or by nothing${by(['lineSeparator', 'newline or none'])}.`,
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
  const rows = masked
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
    shape: { ...shape, targets: rows },
    targets: { kind: 'class', classes },
    notes: [
      ...batches.notes,
      ...notes,
      ...aroundNotes(tokenizer, masked),
      ...notesOnPadding(architecture, tokenizer),
    ],
  };
}

type AcceptedImages = Extract<AcceptedInput, { kind: 'images' }>;

/** The side of the images a model takes. Throws UnsupportedError where they are not square. */
function requiredImageSize({ height, width }: AcceptedImages): number {
  if (height === width) return height;
  throw new UnsupportedError(
    `The model takes images of ${height} × ${width} pixels; only square ones can be read.`,
    'Use a checkpoint with one image_size.',
  );
}

async function openImages(
  architecture: Architecture,
  accepts: AcceptedImages,
  options: DataOptions,
  { sets, preprocessor, labels, notes }: ImageSurvey,
): Promise<OpenData> {
  const shape = batchShape(architecture, options);
  const { classes } = accepts;
  const batches = await openImageBatches({
    path: options.data,
    evaluationPath: options.evaluationData,
    evaluationBatches: options.evaluationBatches,
    preprocessor,
    numChannels: accepts.channels,
    imageSize: requiredImageSize(accepts),
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
  const targets = { kind: 'class', classes } as const;
  return { batches, shape, targets, notes: [...notes, ...batches.notes] };
}
