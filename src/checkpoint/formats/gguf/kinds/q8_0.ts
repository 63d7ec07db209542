import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/** 32 numbers: a factor as float16, then whole numbers of 8 bits. */
export const q8_0: BlockKind = {
  name: 'Q8_0',
  elements: 32,
  bytes: 34,
  dequantise(blocks, at, out, to) {
    const factor = float16At(blocks, at);
    for (let i = 0; i < 32; i++) out[to + i] = factor * ((blocks[at + 2 + i]! << 24) >> 24);
  },
};
