import { join, relative } from 'node:path';
import type { Note } from '../../errors';
import type { Growth } from '../../growth';
import type { Receipt } from '../../protocol/events';
import { sourceName } from '../../protocol/hubReference';
import type { Companion } from './companions';
import { dataReceipt, type DataReceipt } from './dataReceipt';
import { summarize, type Model } from '../open/model';
import { modelCard } from './modelCard';
import { software } from './software';
import type { TrainingReceipt } from './trainingReceipt';
import { writeNew } from './writeNew';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** What a receipt is made of. */
export interface ReceiptParts {
  readonly model: Model;
  readonly growth: Growth;
  readonly sha256: string;
  readonly companions: readonly Companion[];
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly method: Receipt['method'];
  readonly seed: number;
  readonly steps: number;
  readonly data: DataReceipt | undefined;
  readonly engine: NonNullable<Receipt['engine']>;
  readonly optimizerState?: Receipt['optimizerState'] | undefined;
  readonly gguf?: Receipt['gguf'] | undefined;
  readonly measured: Partial<Receipt>;
  readonly warnings: readonly Note[];
}

/** The receipt of a growth. */
export function growthReceipt(parts: ReceiptParts): Receipt {
  const { model, growth, data, method, seed, steps, engine, warnings } = parts;
  const { directory, files } = model.checkpoint;
  return {
    software,
    created: new Date(parts.created).toISOString(),
    source: {
      ...summarize(growth.source),
      path: sourceName(model.path, directory),
      files: files.map(file => relative(directory, file)),
      sha256: parts.sha256,
      companions: parts.companions,
    },
    target: summarize(growth.target),
    targetConfig: growth.target.config,
    ...(model.lost.length > 0 && { dropped: model.lost }),
    method,
    seed,
    steps,
    ...(data && { data: dataReceipt(data) }),
    engine,
    ...(parts.optimizerState && { optimizerState: parts.optimizerState }),
    ...(parts.gguf && { gguf: parts.gguf }),
    ...parts.measured,
    warnings: warnings.map(({ message }) => message),
  };
}

/** Writes growth.json and the model card into a folder. @param training of the model, where it was trained on */
export async function writeReceipt(
  directory: string,
  receipt: Receipt,
  training?: TrainingReceipt,
): Promise<void> {
  await writeNew(join(directory, 'growth.json'), `${JSON.stringify(receipt, null, 2)}\n`);
  await writeNew(join(directory, 'README.md'), modelCard(receipt, training));
}

/**
 * A model that has learned nothing but frequencies sits within this share of the distance from the
 * frequencies' loss down to the small model's.
 */
const collapsedShare = 0.1;

/**
 * Says so when a grown model predicts little better than target frequencies alone, although the
 * small model does.
 */
export function collapseWarning(
  loss: number,
  frequencies: number,
  small: number,
): Note | undefined {
  const reach = frequencies - small;
  if (reach <= 0 || loss < frequencies - collapsedShare * reach) return undefined;
  return {
    message: `The grown model collapsed: its held-out loss of ${loss.toFixed(3)} is no better than predicting by frequency alone (${frequencies.toFixed(3)}); the small model has ${small.toFixed(3)}.`,
    remedy: advise`Lower the learning rate${by('learningRate')} or lengthen the warm-up${by('warmup')} and grow again.`,
  };
}
