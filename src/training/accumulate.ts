import type { Batch } from '../data/batches';
import type { Executable, NamedData } from '../engine';
import type { MicroBatch } from './optimizer';

/** What an update from several batches did, as one large batch of all their targets reports it. */
export interface AccumulatedUpdate {
  /** Mean over the targets of all the batches, before the update. */
  readonly loss: number;
  readonly gradientNorm: number;
}

/**
 * Makes one update from several batches, one run each: a program with `accumulate` adds up their
 * gradients and applies them at the last. Equal to one large batch to rounding, in the memory of one.
 * @param feedsOf what the optimizer feeds for a batch's part: `optimizerFeeds`.
 */
export async function runMicroBatches(
  executable: Executable,
  batches: readonly Batch[],
  feedsOf: (part: MicroBatch) => NamedData,
): Promise<AccumulatedUpdate> {
  const weights = batches.map(totalWeight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let loss = 0;
  let gradientNorm = 0;
  for (const [index, batch] of batches.entries()) {
    const share = weights[index]! / total;
    const last = index === batches.length - 1;
    const outputs = await executable.run({ ...batch, ...feedsOf({ share, last }) });
    loss += share * outputs['loss']![0]!;
    gradientNorm = outputs['gradientNorm']![0]!;
  }
  return { loss, gradientNorm };
}

function totalWeight(batch: Batch): number {
  let total = 0;
  for (const weight of batch['weights']!) total += weight;
  return total;
}
