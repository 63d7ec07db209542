import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/**
 * 256 numbers in 16 groups: four bits of whole numbers, their other two, a factor of 8 bits for each
 * group, then what all factors are multiplied by, as float16. The whole numbers count from -32.
 */
export const q6_k: BlockKind = {
  name: 'Q6_K',
  elements: 256,
  bytes: 210,
  dequantise(blocks, at, out, to) {
    const factors = float16At(blocks, at + 208);
    for (let group = 0; group < 16; group++) {
      const factor = Math.fround(factors * ((blocks[at + 192 + group]! << 24) >> 24));
      for (let i = 16 * group; i < 16 * group + 16; i++) {
        const pair = blocks[at + 64 * (i >> 7) + (i & 63)]!;
        const low = (i & 64) === 0 ? pair & 15 : pair >> 4;
        const four = blocks[at + 128 + 32 * (i >> 7) + (i & 31)]!;
        const high = (four >> (2 * ((i >> 5) & 3))) & 3;
        out[to + i] = factor * ((low | (high << 4)) - 32);
      }
    }
  },
};
