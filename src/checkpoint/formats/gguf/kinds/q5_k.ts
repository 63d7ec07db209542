import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';
import { factorOf, leastOf } from './factorsAndLeasts';

/** As Q4_K, with the fifth bits of the whole numbers before their other four. */
export const q5_k: BlockKind = {
  name: 'Q5_K',
  elements: 256,
  bytes: 176,
  dequantise(blocks, at, out, to) {
    const factors = float16At(blocks, at);
    const leasts = float16At(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const factor = Math.fround(factors * factorOf(blocks, at + 4, group));
      const least = Math.fround(leasts * leastOf(blocks, at + 4, group));
      for (let i = 0; i < 32; i++) {
        const fifth = (blocks[at + 16 + i]! >> group) & 1;
        const pair = blocks[at + 48 + 32 * (group >> 1) + i]!;
        const others = (group & 1) === 0 ? pair & 15 : pair >> 4;
        out[to + 32 * group + i] = Math.fround(factor * (others | (fifth << 4))) - least;
      }
    }
  },
};
