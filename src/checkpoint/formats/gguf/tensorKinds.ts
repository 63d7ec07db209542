import type { StoredType } from '../../elementTypes';
import type { BlockKind } from '../../layouts/quantised';
import { iq4_nl, iq4_xs } from './kinds/iq4';
import { q2_k } from './kinds/q2_k';
import { q3_k } from './kinds/q3_k';
import { q4_0 } from './kinds/q4_0';
import { q4_1 } from './kinds/q4_1';
import { q4_k } from './kinds/q4_k';
import { q5_0 } from './kinds/q5_0';
import { q5_1 } from './kinds/q5_1';
import { q5_k } from './kinds/q5_k';
import { q6_k } from './kinds/q6_k';
import { q8_0 } from './kinds/q8_0';

/** How the numbers of a tensor are stored: one by one, or in blocks. */
export type TensorKind = { readonly plain: StoredType } | { readonly blocks: BlockKind };

/** A kind whose numbers cannot be told here. */
const unread = (name: string, elements: number, bytes: number): TensorKind => ({
  blocks: { name, elements, bytes },
});

/** Kinds by their number in a file (`ggml_type` in ggml.h). */
export const tensorKinds: ReadonlyMap<number, TensorKind> = new Map<number, TensorKind>([
  [0, { plain: 'F32' }],
  [1, { plain: 'F16' }],
  [2, { blocks: q4_0 }],
  [3, { blocks: q4_1 }],
  [6, { blocks: q5_0 }],
  [7, { blocks: q5_1 }],
  [8, { blocks: q8_0 }],
  [9, unread('Q8_1', 32, 40)],
  [10, { blocks: q2_k }],
  [11, { blocks: q3_k }],
  [12, { blocks: q4_k }],
  [13, { blocks: q5_k }],
  [14, { blocks: q6_k }],
  [15, unread('Q8_K', 256, 292)],
  [16, unread('IQ2_XXS', 256, 66)],
  [17, unread('IQ2_XS', 256, 74)],
  [18, unread('IQ3_XXS', 256, 98)],
  [19, unread('IQ1_S', 256, 50)],
  [20, { blocks: iq4_nl }],
  [21, unread('IQ3_S', 256, 110)],
  [22, unread('IQ2_S', 256, 82)],
  [23, { blocks: iq4_xs }],
  [24, { plain: 'I8' }],
  [25, { plain: 'I16' }],
  [26, { plain: 'I32' }],
  [27, { plain: 'I64' }],
  [28, { plain: 'F64' }],
  [29, unread('IQ1_M', 256, 56)],
  [30, { plain: 'BF16' }],
  [34, unread('TQ1_0', 256, 54)],
  [35, unread('TQ2_0', 256, 66)],
  [39, unread('MXFP4', 32, 17)],
  [40, unread('NVFP4', 64, 36)],
  [41, unread('Q1_0', 128, 18)],
]);
