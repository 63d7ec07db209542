import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/**
 * 256 numbers in 16 groups: the third bits of whole numbers, their other two, a factor of 6 bits for
 * each group, then what all factors are multiplied by, as float16. A third bit that is not set takes 4 off.
 */
export const q3_k: BlockKind = {
  name: 'Q3_K',
  elements: 256,
  bytes: 110,
  dequantise(blocks, at, out, to) {
    const factors = float16At(blocks, at + 108);
    for (let group = 0; group < 16; group++) {
      const factor = Math.fround(factors * (factorOf(blocks, at + 96, group) - 32));
      for (let i = 16 * group; i < 16 * group + 16; i++) {
        const third = (blocks[at + (i & 31)]! >> (i >> 5)) & 1;
        const four = blocks[at + 32 + 32 * (i >> 7) + (i & 31)]!;
        const others = (four >> (2 * ((i >> 5) & 3))) & 3;
        out[to + i] = factor * (others - (third === 0 ? 4 : 0));
      }
    }
  },
};

/** The factor of a group: four bits in the first eight bytes, two in the last four. */
function factorOf(blocks: Uint8Array, at: number, group: number): number {
  const pair = blocks[at + (group & 7)]!;
  const low = group < 8 ? pair & 15 : pair >> 4;
  const high = (blocks[at + 8 + (group & 3)]! >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}
