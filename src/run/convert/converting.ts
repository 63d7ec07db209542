import type { Checkpoint } from '../../checkpoint/checkpoint';
import type { Note } from '../../errors';
import type { ConversionReceipt } from '../../protocol/conversion';
import type { Companions } from '../write/companions';

/** A conversion under way, for the writer of a format. */
export interface Converting {
  readonly source: Checkpoint;
  /** The folder in the making. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Bytes that were written, and that will be. */
  readonly progress?: (done: number, total: number) => void;
  readonly warn: (notes: readonly Note[]) => void;
}

/** What a writer of a format leaves: how many tensors it wrote, and of what. */
export interface Written {
  readonly tensors: number;
  readonly bytes: number;
  readonly files: readonly string[];
  /** Tensors of the source that are in none of them, with why. */
  readonly leftOut: ConversionReceipt['leftOut'];
  readonly companions: Companions;
}

/** Counts bytes as they pass, and passes none once the signal aborts. */
export function counter(
  { signal, progress }: Pick<Converting, 'signal' | 'progress'>,
  total: number,
) {
  let done = 0;
  return async function* counted(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    signal.throwIfAborted();
    for await (const part of parts) {
      yield part;
      done += part.byteLength;
      progress?.(done, total);
      signal.throwIfAborted();
    }
  };
}
