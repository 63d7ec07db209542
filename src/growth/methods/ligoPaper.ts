import { methodTitles } from '../../protocol/methodTitles';
import type { GrowthMethod } from './method';

/**
 * LiGO as its authors' released command runs it: AdamW (0.9, 0.999), ε 1e-6, weight decay 0.1 on the
 * operators, clip 1, one rate of 2e-4, and 10,000 steps of warm-up inherited by a run of 100 steps, so
 * that the rate never passes 2e-6.
 */
export const ligoPaper = {
  name: 'ligo-paper',
  title: methodTitles['ligo-paper'],
  does: 'Learns the same operators with the optimizer, rate and warm-up of the paper’s released command.',
  preserves: 'Nothing exactly: the operators stay near their random start.',
  source:
    'Wang et al. 2023 (ICLR, arXiv 2303.00980); settings from the released code, VITA-Group/LiGO',
  needsData: true,
  making: {
    kind: 'learned',
    preset: {
      initialization: { depth: 'stackbert_noisy', width: 'rand' },
      freshness: 0,
      widthLearningRate: 2e-4,
      depthLearningRate: 2e-4,
      weightDecay: 0.1,
      schedule: 'linear',
      warmup: 10_000,
      betas: [0.9, 0.999],
      epsilon: 1e-6,
      clipNorm: 1,
    },
  },
} as const satisfies GrowthMethod;
