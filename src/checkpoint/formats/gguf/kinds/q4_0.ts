import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/** 32 numbers: a factor as float16, then whole numbers of 4 bits, less 8. */
export const q4_0: BlockKind = {
  name: 'Q4_0',
  elements: 32,
  bytes: 18,
  dequantise(blocks, at, out, to) {
    const factor = float16At(blocks, at);
    for (let i = 0; i < 16; i++) {
      const pair = blocks[at + 2 + i]!;
      out[to + i] = factor * ((pair & 15) - 8);
      out[to + 16 + i] = factor * ((pair >> 4) - 8);
    }
  },
};
