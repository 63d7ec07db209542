import type { BatchSource } from '../data/batches';
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
    loss += outputs['loss']![0]!;
    const targets = batch['targets']!;
    const weights = batch['weights']!;
    outputs['predictions']!.forEach((prediction, row) => {
      if (weights[row] === 0) return;
      total++;
      if (prediction === targets[row]) correct++;
    });
  }
  const mean = loss / batches.evaluationBatches;
  return {
    loss: mean,
    accuracy: correct / total,
    perplexity: Math.exp(mean),
    batches: batches.evaluationBatches,
  };
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
    for (const target of (await batches.train(step))['targets']!) {
      counts[target]!++;
      total++;
    }
  }
  let loss = 0;
  let targets = 0;
  for (let index = 0; index < batches.evaluationBatches; index++) {
    const batch = await batches.evaluate(index);
    batch['targets']!.forEach((target, row) => {
      if (batch['weights']![row] === 0) return;
      loss -= Math.log(counts[target]! / total);
      targets++;
    });
  }
  return loss / targets;
}
