import { methodTitles } from '../../protocol/methodTitles';
import type { GrowthMethod } from './method';

/** LiGO with the settings that the study in docs/operator-study.md found best. */
export const ligo = {
  name: 'ligo',
  title: methodTitles.ligo,
  does: 'Learns width and depth operators on data, the small model frozen.',
  preserves: 'Nothing exactly: the operators are trained until the loss is low.',
  source:
    'Wang et al. 2023, Learning to Grow Pretrained Models for Efficient Transformer Training (ICLR, arXiv 2303.00980)',
  needsData: true,
  making: { kind: 'learned', preset: {} },
} as const satisfies GrowthMethod;
