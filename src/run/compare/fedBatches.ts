import { createHash, type Hash } from 'node:crypto';
import type { Batch, BatchSource } from '../../data/batches';

function absorb(hash: Hash, index: number, batch: Batch): void {
  hash.update(`${index}`);
  for (const name of Object.keys(batch).sort()) {
    const { buffer, byteOffset, byteLength } = batch[name]!;
    hash.update(`${name}:${byteLength}:`).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

/** Batches that remember what they gave, so that two runs can be shown to have read the same. */
export interface FedBatches {
  readonly batches: BatchSource;
  /** SHA-256 of the training batches given so far, in order. */
  digest(): string;
}

/** Watches the training batches of a source. */
export function fedBatches(source: BatchSource): FedBatches {
  const hash = createHash('sha256');
  return {
    batches: {
      ...source,
      train: async step => {
        const batch = await source.train(step);
        absorb(hash, step, batch);
        return batch;
      },
    },
    digest: () => hash.copy().digest('hex'),
  };
}

/** SHA-256 of all held-out batches. */
export async function evaluationDigest(source: BatchSource): Promise<string> {
  const hash = createHash('sha256');
  for (let index = 0; index < source.evaluationBatches; index++) {
    absorb(hash, index, await source.evaluate(index));
  }
  return hash.digest('hex');
}
