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
  /**
   * SHA-256 of the training batches given so far, in the order they were asked for: of the digest
   * before the newest, and the newest. Empty before the first.
   */
  digest(): string;
}

/** Watches the training batches of a source. @param before digest of those that a run had already */
export function fedBatches(source: BatchSource, before = ''): FedBatches {
  let digest = before;
  /** Batches may be read at the same time, but are told in order. */
  let told = Promise.resolve();
  return {
    batches: {
      ...source,
      train: step => {
        const read = source.train(step);
        told = Promise.all([read, told]).then(([batch]) => {
          const hash = createHash('sha256').update(digest);
          absorb(hash, step, batch);
          digest = hash.digest('hex');
        });
        return told.then(() => read);
      },
    },
    digest: () => digest,
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
