import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/** 32 numbers: a factor and a least value as float16, then whole numbers of 4 bits. */
export const q4_1: BlockKind = {
  name: 'Q4_1',
  elements: 32,
  bytes: 20,
  dequantise(blocks, at, out, to) {
    const factor = float16At(blocks, at);
    const least = float16At(blocks, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = blocks[at + 4 + i]!;
      out[to + i] = Math.fround(factor * (pair & 15)) + least;
      out[to + 16 + i] = Math.fround(factor * (pair >> 4)) + least;
    }
  },
};
