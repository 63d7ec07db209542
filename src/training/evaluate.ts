import type { Batch, BatchSource } from '../data/batches';
import type { Executable } from '../engine';

/** Held-out scores of a model. */
export interface EvaluationScores {
  /** Mean cross-entropy over all held-out targets, nats. */
  readonly loss: number;
  /** Share of targets that are the best-scored class, 0…1. */
  readonly accuracy: number;
  readonly perplexity: number;
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
  for (let index = 0; index < batches.evaluationBatches; index++) {
    signal.throwIfAborted();
    const batch = await batches.evaluate(index);
    const outputs = await executable.run(batch);
    const rows = countedRows(batch);
    // A batch's loss is the mean of its own targets, and batches may have fewer than others.
    loss += outputs['loss']![0]! * rows.length;
    total += rows.length;
    for (const row of rows) {
      if (outputs['predictions']![row] === batch['targets']![row]) correct++;
    }
  }
  const mean = loss / total;
  return {
    loss: mean,
    accuracy: correct / total,
    perplexity: Math.exp(mean),
    batches: batches.evaluationBatches,
  };
}

/** Rows of a batch that have a target: those of weight 0 only fill it up. */
function countedRows(batch: Batch): number[] {
  return [...batch['targets']!.keys()].filter(row => batch['weights']![row] !== 0);
}

/** Training batches whose targets the frequency baseline counts. */
const countedBatches = 50;

/**
 * The held-out loss of predicting every target by how often it occurs in training batches, whatever
 * the input: what a collapsed model scores. Counts start at 1, so that no target is impossible.
 */
export async function frequencyLoss(batches: BatchSource, classes: number): Promise<number> {
  const counts = new Float64Array(classes).fill(1);
  let total = classes;
  for (let step = 0; step < countedBatches; step++) {
    const batch = await batches.train(step);
    for (const row of countedRows(batch)) {
      counts[batch['targets']![row]!]!++;
      total++;
    }
  }
  let loss = 0;
  let targets = 0;
  for (let index = 0; index < batches.evaluationBatches; index++) {
    const batch = await batches.evaluate(index);
    for (const row of countedRows(batch)) {
      loss -= Math.log(counts[batch['targets']![row]!]! / total);
      targets++;
    }
  }
  return loss / targets;
}
