import type { Batch, BatchSource } from '../../../src/data/batches';

/** A batch source out of two functions, for tests that know every number. */
export function handMadeBatches(
  train: (step: number) => Batch,
  evaluation: readonly Batch[] = [],
): BatchSource {
  return {
    itemsPerBatch: 1,
    unit: 'tokens',
    evaluationBatches: evaluation.length,
    description: { files: [], sha256: '', hashed: 'contents', heldOut: '' },
    notes: [],
    train: step => Promise.resolve(train(step)),
    evaluate: index => Promise.resolve(evaluation[index]!),
    requireUnchanged: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}
