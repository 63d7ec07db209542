import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';
import { factorOf, leastOf } from './factorsAndLeasts';

/**
 * 256 numbers in 8 groups: what all factors and all least values are multiplied by, as float16, both of
 * 6 bits for each group, then whole numbers of 4 bits.
 */
export const q4_k: BlockKind = {
  name: 'Q4_K',
  elements: 256,
  bytes: 144,
  dequantise(blocks, at, out, to) {
    const factors = float16At(blocks, at);
    const leasts = float16At(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const factor = Math.fround(factors * factorOf(blocks, at + 4, group));
      const least = Math.fround(leasts * leastOf(blocks, at + 4, group));
      for (let i = 0; i < 32; i++) {
        const pair = blocks[at + 16 + 32 * (group >> 1) + i]!;
        const whole = (group & 1) === 0 ? pair & 15 : pair >> 4;
        out[to + 32 * group + i] = Math.fround(factor * whole) - least;
      }
    }
  },
};
