import { methodTitles } from '../../protocol/methodTitles';
import { interpolatedLayers } from './layers';
import type { GrowthMethod } from './method';
import { copiedUnits } from './units';

/** Interpolation in depth, W'ᵢ = W_{⌊i · L1 / L2⌋}; width by copied units (FPI). */
export const interpolate = {
  name: 'interpolate',
  title: methodTitles.interpolate,
  does: 'Repeats each layer in place; new units copy old ones.',
  preserves:
    'Every layer is one of the small model’s, in its order; with more layers the function changes.',
  source:
    'Chang et al. 2018 (ICLR, arXiv 1710.10348); Dong et al. 2020, Towards Adaptive Residual Network Training (ICML)',
  needsData: false,
  making: {
    kind: 'copies',
    copies: (growth, seed) => ({
      layers: interpolatedLayers(growth),
      units: space => copiedUnits(growth, space, seed),
    }),
  },
} as const satisfies GrowthMethod;
