import { methodTitles } from '../../protocol/methodTitles';
import { tableRefusals } from './copyOperators';
import { gradientsBesideInserted, insertedLayers } from './layers';
import type { GrowthMethod } from './method';
import { copiedUnits } from './units';

/**
 * Net2Net: Net2WiderNet copies units and divides by their number where they are read,
 * W'[:, i] = W[:, g(i)] / |{k : g(k) = g(i)}|; Net2DeeperNet inserts layers that are the identity.
 */
export const net2net = {
  name: 'net2net',
  title: methodTitles.net2net,
  does: 'Copies units, divides by the number of copies where they are read, and inserts layers that pass their input on.',
  preserves:
    'The function, up to the norms’ ε, when the hidden size stays or becomes a multiple; otherwise LayerNorm’s mean and variance shift.',
  source:
    'Chen et al. 2016, Net2Net (ICLR, arXiv 1511.05641); FPI in transformers: Chen et al. 2022, bert2BERT (ACL)',
  needsData: false,
  making: {
    kind: 'copies',
    copies: (growth, seed) => ({
      layers: insertedLayers(growth),
      layersOfGradients: gradientsBesideInserted(growth),
      units: space => copiedUnits(growth, space, seed),
    }),
  },
  refusals: growth => tableRefusals(growth, 'net2net'),
} as const satisfies GrowthMethod;
