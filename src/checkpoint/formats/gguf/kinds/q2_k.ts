import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/**
 * 256 numbers in 16 groups: for each a factor and a least value of 4 bits, then whole numbers of 2
 * bits, then what all factors and all least values are multiplied by, as float16.
 */
export const q2_k: BlockKind = {
  name: 'Q2_K',
  elements: 256,
  bytes: 84,
  dequantise(blocks, at, out, to) {
    const factors = float16At(blocks, at + 80);
    const leasts = float16At(blocks, at + 82);
    for (let group = 0; group < 16; group++) {
      const both = blocks[at + group]!;
      const factor = Math.fround(factors * (both & 15));
      const least = Math.fround(leasts * (both >> 4));
      for (let i = 16 * group; i < 16 * group + 16; i++) {
        const four = blocks[at + 16 + 32 * (i >> 7) + (i & 31)]!;
        const whole = (four >> (2 * ((i >> 5) & 3))) & 3;
        out[to + i] = Math.fround(factor * whole) - least;
      }
    }
  },
};
