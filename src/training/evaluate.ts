import type { Batch, BatchSource } from '../data/batches';
import type { Executable } from '../engine';

/** Held-out scores of a model. */
export interface EvaluationScores {
  /** Mean loss over all held-out targets: cross-entropy in nats, or a squared error. */
  readonly loss: number;
  /**
   * Share of targets that are the best-scored class, 0…1; where outputs have targets of their own, of rows
   * that are right in all of them. Absent for numbers, which are not right or wrong.
   */
  readonly accuracy?: number;
  /** e to the loss; absent of labelled texts, of which it says nothing. */
  readonly perplexity?: number;
  readonly batches: number;
}

/** Runs an evaluation program over every held-out batch. Stops between batches when aborted. */
export async function evaluateModel(
  executable: Executable,
  batches: BatchSource,
  signal: AbortSignal,
): Promise<EvaluationScores> {
  let loss = 0;
  let correct = 0;
  let total = 0;
  let hasPredictions = false;
  for (let index = 0; index < batches.evaluationBatches; index++) {
    signal.throwIfAborted();
    const batch = await batches.evaluate(index);
    const outputs = await executable.run(batch);
    const rows = countedRows(batch);
    // A batch's loss is the mean of its own targets, and batches may have fewer than others.
    if (rows.length > 0) loss += outputs['loss']![0]! * rows.length;
    total += rows.length;
    const { predictions } = outputs;
    if (!predictions) continue;
    hasPredictions = true;
    for (const row of rows) if (isRight(batch, predictions, row)) correct++;
  }
  const mean = loss / total;
  return {
    loss: mean,
    ...(hasPredictions && { accuracy: correct / total }),
    ...(batches.unit !== 'texts' && { perplexity: Math.exp(mean) }),
    batches: batches.evaluationBatches,
  };
}

/** Targets that each row of a batch has: 1, or one an output. */
const targetsOfRow = (batch: Batch): number => batch['targets']!.length / batch['weights']!.length;

function isRight(batch: Batch, predictions: ArrayLike<number>, row: number): boolean {
  const targets = batch['targets']!;
  const count = targetsOfRow(batch);
  for (let index = row * count; index < (row + 1) * count; index++) {
    if (predictions[index] !== targets[index]) return false;
  }
  return true;
}

/** Rows of a batch that have a target: those of weight 0 only fill it up. */
function countedRows(batch: Batch): number[] {
  return [...batch['weights']!.keys()].filter(row => batch['weights']![row] !== 0);
}

/** Training batches whose targets the frequency baseline counts. */
const countedBatches = 50;

/** What targets are: one of so many classes, or numbers of their own with their loss. */
export type TargetKind =
  | { readonly kind: 'class'; readonly classes: number }
  | { readonly kind: 'chances' | 'numbers'; readonly outputs: number };

/**
 * The held-out loss of predicting every target by how often it occurs in training batches, or numbers by
 * their mean, whatever the input: what a collapsed model scores.
 */
export async function frequencyLoss(batches: BatchSource, targets: TargetKind): Promise<number> {
  const count = targets.kind === 'class' ? 1 : targets.outputs;
  const predicted =
    targets.kind === 'class' ? classCounts(targets.classes) : means(targets.kind, count);
  for (let step = 0; step < countedBatches; step++) {
    const batch = await batches.train(step);
    for (const row of countedRows(batch)) predicted.learn(targetsIn(batch, row, count));
  }
  let loss = 0;
  let rows = 0;
  for (let index = 0; index < batches.evaluationBatches; index++) {
    const batch = await batches.evaluate(index);
    for (const row of countedRows(batch)) {
      loss += predicted.lossOf(targetsIn(batch, row, count));
      rows++;
    }
  }
  return loss / rows;
}

const targetsIn = (batch: Batch, row: number, count: number) =>
  batch['targets']!.subarray(row * count, (row + 1) * count);

/** What is predicted whatever the input. */
interface Baseline {
  learn(targets: ArrayLike<number>): void;
  /** Of one row. */
  lossOf(targets: ArrayLike<number>): number;
}

/** Counts start at 1, so that no target is impossible. */
function classCounts(classes: number): Baseline {
  const counts = new Float64Array(classes).fill(1);
  let total = classes;
  return {
    learn(targets) {
      counts[targets[0]!]!++;
      total++;
    },
    lossOf: targets => -Math.log(counts[targets[0]!]! / total),
  };
}

/** The mean of each output; of chances, counted from one row of each kind on, so that none is certain. */
function means(kind: 'chances' | 'numbers', outputs: number): Baseline {
  const isChance = kind === 'chances';
  const sums = new Float64Array(outputs).fill(isChance ? 1 : 0);
  let rows = isChance ? 2 : 0;
  const lossOf = (target: number, mean: number): number =>
    isChance ? -target * Math.log(mean) - (1 - target) * Math.log(1 - mean) : (target - mean) ** 2;
  return {
    learn(targets) {
      for (let index = 0; index < outputs; index++) sums[index]! += targets[index]!;
      rows++;
    },
    lossOf(targets) {
      let loss = 0;
      for (let index = 0; index < outputs; index++) {
        loss += lossOf(targets[index]!, sums[index]! / rows);
      }
      return loss / outputs;
    },
  };
}
