import { methodTitles } from '../../protocol/methodTitles';
import { stackedLayers } from './layers';
import type { GrowthMethod } from './method';
import { copiedUnits } from './units';

/** StackBERT in depth, W'ᵢ = W_{i mod L1}; width, which it leaves open, by copied units (FPI). */
export const stack = {
  name: 'stack',
  title: methodTitles.stack,
  does: 'Repeats the stack of layers; new units copy old ones.',
  preserves: 'Every layer is one of the small model’s; with more layers the function changes.',
  source: 'Gong et al. 2019, Efficient Training of BERT by Progressively Stacking (ICML)',
  needsData: false,
  making: {
    kind: 'copies',
    copies: (growth, seed) => ({
      layers: stackedLayers(growth),
      units: space => copiedUnits(growth, space, seed),
    }),
  },
} as const satisfies GrowthMethod;
