import { methodTitles } from '../../protocol/methodTitles';
import { randomParameter } from '../randomParameter';
import type { GrowthMethod } from './method';

/** Training from scratch at the large size: what savings are counted against. */
export const random = {
  name: 'random',
  title: methodTitles.random,
  does: 'Starts anew at the large size, as transformers initialises the family.',
  preserves: 'Nothing.',
  source: 'Hugging Face transformers, _init_weights of each family',
  needsData: false,
  making: {
    kind: 'weights',
    weights: (growth, _small, seed) => parameter => randomParameter(growth.target, parameter, seed),
  },
} as const satisfies GrowthMethod;
