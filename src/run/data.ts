import type { Architecture } from '../architecture';
import type { BatchSource } from '../data/batches';
import { openImageBatches } from '../data/imageBatches';
import {
  maskedPositions,
  openCausalBatches,
  openMaskedBatches,
  wrapsSequences,
} from '../data/languageBatches';
import { loadPreprocessor } from '../data/preprocessor';
import type { LineSeparator } from '../data/textSource';
import { loadTokenizer, type TextTokenizer } from '../data/tokenizer';
import { UnsupportedError, UsageError, type Note } from '../errors';
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

/** Opens data as the architecture's objective reads it, with the checkpoint's own preprocessing. */
export async function openData(
  architecture: Architecture,
  directory: string,
  options: DataOptions,
): Promise<OpenData> {
  return architecture.objective === 'image-classification'
    ? openImages(architecture, directory, options)
    : openText(architecture, directory, options);
}

async function openText(
  architecture: Architecture,
  directory: string,
  options: DataOptions,
): Promise<OpenData> {
  const shape = batchShape(architecture, options);
  const { sequenceLength } = shape;
  const positions = usualBatch(architecture).sequence?.longest;
  if (positions !== undefined && sequenceLength > positions) {
    throw new UsageError(
      `A sequence of ${sequenceLength} tokens is longer than the model's ${positions} positions.`,
      `Give --sequence-length ${positions} or less.`,
    );
  }
  const tokenizer = await loadTokenizer(directory);
  try {
    return await openTokenized(architecture, tokenizer, options, shape);
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
  shape: BatchShape,
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
      ...notes,
      ...aroundNotes(tokenizer, masked),
      ...notesOnPadding(architecture, tokenizer),
    ],
  };
}

async function openImages(
  architecture: Architecture,
  directory: string,
  options: DataOptions,
): Promise<OpenData> {
  const { config } = architecture;
  const { preprocessor, notes } = await loadPreprocessor(directory);
  const [height, width] = imageSize(config);
  if (height !== width) {
    throw new UnsupportedError(
      `The model takes images of ${height} × ${width} pixels; only square ones can be read.`,
      'Use a checkpoint with one image_size.',
    );
  }
  const shape = batchShape(architecture, options);
  const classes = architecture.spaceSizes.get('class') ?? 0;
  const batches = await openImageBatches({
    path: options.data,
    evaluationPath: options.evaluationData,
    evaluationBatches: options.evaluationBatches,
    preprocessor,
    numChannels: Number(config['num_channels'] ?? 3),
    imageSize: height,
    labels: labelsOf(config),
    batchSize: shape.batchSize,
    seed: options.seed,
  });
  if (batches.classes.length > classes) {
    await batches.close();
    throw new UnsupportedError(
      `The data has ${batches.classes.length} classes, but the model tells ${classes} apart.`,
      'Use data with the classes the model was trained on.',
    );
  }
  const remedy = 'Check that this is what you meant.';
  const said = [...notes, ...batches.notes].map(message => ({ message, remedy }));
  return { batches, shape, classes, notes: said };
}

/** Labels in class order from `id2label`, when the config names them. */
function labelsOf(config: Architecture['config']): string[] | undefined {
  const labels = config['id2label'];
  if (typeof labels !== 'object' || labels === null) return undefined;
  const entries = Object.entries(labels as Record<string, unknown>);
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, label]) => String(label));
}
