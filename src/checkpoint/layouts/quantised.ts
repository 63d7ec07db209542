import { UnsupportedError } from '../../errors';
import { quoted } from '../names';
import type { Layout } from './layout';

/** Bytes of blocks that are read at once: a large tensor is not in memory twice. */
const READ_BYTES = 1 << 22;

/** A way to store so many numbers in so many bytes. */
export interface BlockKind {
  readonly name: string;
  /** Numbers in a block. */
  readonly elements: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /**
   * Writes the numbers of the block that begins at a byte into `out` from an index on, rounded as the
   * reference rounds them. Absent where they cannot be told here.
   */
  readonly dequantise?: (blocks: Uint8Array, at: number, out: Float32Array, to: number) => void;
}

/** Numbers in blocks from a byte of the file on, read as float32. */
export function quantised(kind: BlockKind, begin: number, tensor: string): Layout {
  const { elements, bytes, dequantise } = kind;
  return {
    async read(readBytes, firstElement, count) {
      if (!dequantise) throw notReadable(kind, tensor);
      const firstBlock = Math.floor(firstElement / elements);
      const endBlock = Math.ceil((firstElement + count) / elements);
      const skipped = firstElement - firstBlock * elements;
      const values = new Float32Array((endBlock - firstBlock) * elements);
      const atOnce = Math.floor(READ_BYTES / bytes);
      for (let block = firstBlock; block < endBlock; block += atOnce) {
        const end = Math.min(block + atOnce, endBlock);
        const blocks = await readBytes(begin + block * bytes, begin + end * bytes);
        for (let at = 0, to = (block - firstBlock) * elements; at < blocks.length; at += bytes) {
          dequantise(blocks, at, values, to);
          to += elements;
        }
      }
      const isWhole = skipped === 0 && values.length === count;
      const asked = isWhole ? values : values.slice(skipped, skipped + count);
      return new Uint8Array(asked.buffer);
    },
  };
}

function notReadable({ name }: BlockKind, tensor: string): UnsupportedError {
  return new UnsupportedError(
    `Tensor ${quoted(tensor)} is quantised as ${name}, which cannot be read as numbers here.`,
    'Take a file of the same model in F16, BF16, Q8_0 or Q4_K_M, or convert the original weights anew.',
  );
}
