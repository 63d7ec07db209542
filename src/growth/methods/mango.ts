import { methodTitles } from '../../protocol/methodTitles';
import { multilinearRefusals } from '../multilinear';
import type { GrowthMethod } from './method';

/** Mango's multi-linear operator, learned over LiGO's engine from LiGO's start. */
export const mango = {
  name: 'mango',
  title: methodTitles.mango,
  does: 'Learns one operator over the matrices of all layers and kinds together, the small model frozen.',
  preserves: 'Nothing exactly: the operator is trained until the loss is low.',
  source:
    'Pan et al. 2023, Reusing Pretrained Models by Multi-linear Operators for Efficient Training (NeurIPS, arXiv 2310.10699)',
  needsData: true,
  making: { kind: 'learned', preset: { mapping: 'mango' } },
  refusals: multilinearRefusals,
} as const satisfies GrowthMethod;
