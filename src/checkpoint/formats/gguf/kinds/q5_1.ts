import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/** 32 numbers: a factor and a least value as float16, the fifth bits of whole numbers, then their other four. */
export const q5_1: BlockKind = {
  name: 'Q5_1',
  elements: 32,
  bytes: 24,
  dequantise(blocks, at, out, to) {
    const factor = float16At(blocks, at);
    const least = float16At(blocks, at + 2);
    for (let i = 0; i < 32; i++) {
      const fifth = (blocks[at + 4 + (i >> 3)]! >> (i & 7)) & 1;
      const pair = blocks[at + 8 + (i & 15)]!;
      const others = i < 16 ? pair & 15 : pair >> 4;
      out[to + i] = Math.fround(factor * (others | (fifth << 4))) + least;
    }
  },
};
