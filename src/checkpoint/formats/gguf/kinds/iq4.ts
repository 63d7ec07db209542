import { float16At } from '../../../halfFloats';
import type { BlockKind } from '../../../layouts/quantised';

/** What the sixteen numbers of 4 bits stand for. */
const levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** 32 numbers: a factor as float16, then levels of 4 bits. */
export const iq4_nl: BlockKind = {
  name: 'IQ4_NL',
  elements: 32,
  bytes: 18,
  dequantise: (blocks, at, out, to) =>
    levelsOf(blocks, { at: at + 2, factor: float16At(blocks, at) }, out, to),
};

/**
 * 256 numbers in 8 groups: what all factors are multiplied by, as float16, a factor of 6 bits for each
 * group, then levels of 4 bits.
 */
export const iq4_xs: BlockKind = {
  name: 'IQ4_XS',
  elements: 256,
  bytes: 136,
  dequantise(blocks, at, out, to) {
    const factors = float16At(blocks, at);
    const highs = blocks[at + 2]! | (blocks[at + 3]! << 8);
    for (let group = 0; group < 8; group++) {
      const pair = blocks[at + 4 + (group >> 1)]!;
      const low = (group & 1) === 0 ? pair & 15 : pair >> 4;
      const high = (highs >> (2 * group)) & 3;
      const factor = Math.fround(factors * ((low | (high << 4)) - 32));
      levelsOf(blocks, { at: at + 8 + 16 * group, factor }, out, to + 32 * group);
    }
  },
};

/** 32 levels from 16 bytes, multiplied by a factor. */
function levelsOf(
  blocks: Uint8Array,
  { at, factor }: { readonly at: number; readonly factor: number },
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 16; i++) {
    const pair = blocks[at + i]!;
    out[to + i] = factor * levels[pair & 15]!;
    out[to + 16 + i] = factor * levels[pair >> 4]!;
  }
}
