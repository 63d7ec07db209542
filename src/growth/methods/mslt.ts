import type { Architecture, Parameter } from '../../architecture';
import { counted } from '../../format';
import { methodTitles } from '../../protocol/methodTitles';
import type { Growth } from '../operators';
import { layerCounts, type LayerMap } from './layers';
import type { GrowthMethod } from './method';
import { copiedUnits } from './units';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Of the steps, for the new layers alone. Ours: how long the paper's stages were is not known to us. */
const newLayersShare = 0.5;

/** The m = L2 − L1 top layers once more on top: layer i ≥ L1 is small layer i − m. */
function topLayersAgain(growth: Growth): LayerMap {
  const { small, large } = layerCounts(growth);
  return layer => (layer < small ? layer : layer - (large - small));
}

/** What is trained along with the new layers: whatever comes after them. */
const isAbove = ({ stage }: Parameter): boolean => stage === 'head' || stage === 'final';

const usedIds = ({ parameters }: Architecture, chosen: (parameter: Parameter) => boolean) =>
  parameters.filter(parameter => parameter.used && chosen(parameter)).map(({ id }) => id);

/**
 * Multi-stage layerwise training: the top layers are copied onto the top and trained alone, while the
 * layers below only run forward; then everything is trained. Width by copied units (FPI).
 */
export const mslt = {
  name: 'mslt',
  title: methodTitles.mslt,
  does: 'Copies the top layers onto the top, trains those first and then everything.',
  preserves: 'The old layers, unchanged and in place where only depth grows; the function changes.',
  source: 'Yang et al. 2020, Progressively Stacking 2.0 (arXiv 2011.13635)',
  needsData: false,
  making: {
    kind: 'copies',
    copies: (growth, seed) => ({
      layers: topLayersAgain(growth),
      units: space => copiedUnits(growth, space, seed),
    }),
  },
  refusals: growth => {
    const { small, large } = layerCounts(growth);
    if (large > small && large <= 2 * small) return [];
    return [
      {
        reason: `mslt copies top layers onto the top: from ${counted(small, 'layer')} it makes ${small + 1} to ${2 * small}, not ${large}.`,
        remedy:
          large > small
            ? `Grow to ${2 * small} layers first, train, and grow again.`
            : advise`Ask for more layers${by('layers')}, or use another method.`,
      },
    ];
  },
  stages: growth => {
    const { small } = layerCounts(growth);
    const onTop = usedIds(
      growth.target,
      parameter => (parameter.layer ?? -1) >= small || isAbove(parameter),
    );
    return [
      { share: newLayersShare, trains: onTop },
      { share: 1 - newLayersShare, trains: usedIds(growth.target, () => true) },
    ];
  },
} as const satisfies GrowthMethod;
