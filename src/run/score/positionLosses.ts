import { crossEntropy } from '../../architecture';
import type { Engine } from '../../engine';
import type { Note } from '../../errors';
import { simplifyProgram } from '../../graph';
import { batchFeeds, readsLabelledText } from '../../training';
import type { OpenData } from '../open/openData';
import { loaded, type ScoredModel } from './scoring';
import { shorten } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Losses of the targets in one part of all sequences. */
export interface PartLosses {
  /** First position of the part. */
  readonly from: number;
  readonly targets: number;
  /** Nats. */
  readonly mean: number;
  /** Of the mean. */
  readonly standardError: number;
}

/** Parts that sequences are cut into, and held-out batches that are read at most. */
const parts = 8;
const mostBatches = 8;

/** Held-out loss by the position in the sequence, in eight parts; of text alone. */
export async function positionLosses(
  engine: Engine,
  model: ScoredModel,
  { batches, shape }: Pick<OpenData, 'batches' | 'shape'>,
  signal: AbortSignal,
): Promise<readonly PartLosses[]> {
  const feeds = batchFeeds(model.architecture, shape);
  const readout = model.architecture.forward(model.weights, feeds.forward).readout(feeds.positions);
  const { perRow } = crossEntropy(readout, feeds.targets, feeds.weights);
  const executable = await engine.compile(
    simplifyProgram({
      feeds: feeds.tensors,
      frozen: [...model.inputs()],
      state: [],
      outputs: { perRow },
    }),
  );
  const length = shape.sequenceLength;
  const sums = Array.from({ length: parts }, () => ({ targets: 0, sum: 0, squares: 0 }));
  try {
    executable.load(loaded(model));
    for (let index = 0; index < Math.min(mostBatches, batches.evaluationBatches); index++) {
      signal.throwIfAborted();
      const batch = await batches.evaluate(index);
      const losses = (await executable.run(batch))['perRow']!;
      for (const [row, loss] of losses.entries()) {
        if (batch['weights']![row] === 0) continue;
        const position = batch['positions']![row]! % length;
        const part = sums[Math.floor((position * parts) / length)]!;
        part.targets++;
        part.sum += loss;
        part.squares += loss * loss;
      }
    }
  } finally {
    await executable.dispose();
  }
  return sums.map(({ targets, sum, squares }, part) => {
    const mean = sum / targets;
    const variance = Math.max(0, squares / targets - mean * mean);
    const standardError = Math.sqrt(variance / targets);
    return { from: Math.ceil((part * length) / parts), targets, mean, standardError };
  });
}

/** Where a loss has a position: a classifier of whole texts tells nothing of one. */
const isOfLanguage = ({ architecture }: ScoredModel): boolean =>
  architecture.accepts.kind === 'tokens' && !readsLabelledText(architecture);

/**
 * Warns of sequences that are longer than a text model was trained on, where held-out data tells.
 * Rejects with the signal's reason when aborted.
 */
export async function warningOfLength(
  engine: Engine,
  model: ScoredModel,
  data: Pick<OpenData, 'batches' | 'shape'>,
  signal: AbortSignal,
): Promise<ReturnType<typeof lengthWarning>> {
  if (!isOfLanguage(model)) return undefined;
  return lengthWarning(await positionLosses(engine, model, data, signal));
}

/** Tokens from which on a text model predicts worse; undefined where it does not, or none is read. */
export async function suitableLength(
  engine: Engine,
  model: ScoredModel,
  data: Pick<OpenData, 'batches' | 'shape'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!isOfLanguage(model)) return undefined;
  return findDrop(await positionLosses(engine, model, data, signal))?.from;
}

/** Where a model begins to predict worse: nats above what came before, and in standard errors. */
const worse = { nats: 0.3, standardErrors: 5 };
/** Parts with fewer targets say nothing. */
const leastTargets = 20;

/**
 * Says so when a model predicts worse from some position on to the end, as it does past the length of
 * the sequences it was trained on: its config tells how many positions there are, not which of them
 * were ever used. Later positions know more of the text and should do no worse.
 */
export function lengthWarning(losses: readonly PartLosses[]): Note | undefined {
  const drop = findDrop(losses);
  if (!drop) return undefined;
  const { from, before, after } = drop;
  return {
    message: `The checkpoint predicts worse from position ${from} of a sequence on (a held-out loss of ${after.toFixed(2)} against ${before.toFixed(2)} before), as models do past the length that they were trained with.`,
    remedy: advise`${shorten(from)}.`,
  };
}

/** The first position from which on a model predicts worse, and its losses before and after. */
function findDrop(
  losses: readonly PartLosses[],
): { readonly from: number; readonly before: number; readonly after: number } | undefined {
  if (losses.some(({ targets }) => targets < leastTargets)) return undefined;
  for (let split = 1; split < losses.length; split++) {
    const before = merged(losses.slice(0, split));
    const after = losses.slice(split);
    if (!after.every(part => isWorse(part, before))) continue;
    const { from } = after[0]!;
    return { from, before: before.mean, after: merged(after).mean };
  }
  return undefined;
}

function isWorse(part: PartLosses, { mean, standardError }: Merged): boolean {
  const error = Math.hypot(part.standardError, standardError);
  return part.mean - mean > Math.max(worse.nats, worse.standardErrors * error);
}

type Merged = Pick<PartLosses, 'mean' | 'standardError'>;

/** Several parts as one. */
function merged(losses: readonly PartLosses[]): Merged {
  const targets = losses.reduce((sum, part) => sum + part.targets, 0);
  const share = (part: PartLosses): number => part.targets / targets;
  return {
    mean: losses.reduce((sum, part) => sum + share(part) * part.mean, 0),
    standardError: Math.hypot(...losses.map(part => share(part) * part.standardError)),
  };
}
