import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/** 32 numbers: a factor as float16, the fifth bits of whole numbers, then their other four, less 16. */
export const q5_0: BlockKind = {
  name: 'Q5_0',
  elements: 32,
  bytes: 22,
  dequantise(blocks, at, out, to) {
    const factor = float16At(blocks, at);
    for (let i = 0; i < 32; i++) {
      const fifth = (blocks[at + 2 + (i >> 3)]! >> (i & 7)) & 1;
      const pair = blocks[at + 6 + (i & 15)]!;
      const others = i < 16 ? pair & 15 : pair >> 4;
      out[to + i] = factor * ((others | (fifth << 4)) - 16);
    }
  },
};
