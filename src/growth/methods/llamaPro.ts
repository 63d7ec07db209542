import { methodTitles } from '../../protocol/methodTitles';
import { grows } from '../operators';
import { gradientsBesideInserted, insertedLayers, insertedPlacements } from './layers';
import type { GrowthMethod } from './method';
import { copiedUnits } from './units';
import { by, set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/**
 * LLaMA-Pro's block expansion: groups of layers are each followed by a copy of their last layer whose
 * attention output and feed-forward output are zero; training changes the new layers alone.
 */
export const llamaPro = {
  name: 'llama-pro',
  title: methodTitles['llama-pro'],
  does: 'Inserts copies of layers whose outputs start at zero, and trains only those.',
  preserves: 'The function, up to the norms’ ε.',
  source:
    'Wu et al. 2024, LLaMA Pro: Progressive LLaMA with Block Expansion (ACL, arXiv 2401.02415)',
  needsData: false,
  making: {
    kind: 'copies',
    copies: (growth, seed) => ({
      layers: insertedLayers(growth),
      layersOfGradients: gradientsBesideInserted(growth),
      units: space => copiedUnits(growth, space, seed),
    }),
  },
  refusals: growth => {
    const wider = growth.target.parameters.some(({ spaces }) =>
      spaces.some(space => grows(growth, space)),
    );
    if (!wider) return [];
    return [
      {
        reason: 'llama-pro adds layers and widens nothing.',
        remedy: advise`Ask for more layers${by('layers')} alone, or ${set('method', 'lemon')} or net2net.`,
      },
    ];
  },
  stages: growth => {
    const placements = insertedPlacements(growth);
    const trains = growth.target.parameters
      .filter(({ layer }) => layer !== undefined && placements[layer]!.inserted)
      .map(({ id }) => id);
    return [{ share: 1, trains }];
  },
} as const satisfies GrowthMethod;
