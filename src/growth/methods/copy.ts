import { methodTitles } from '../../protocol/methodTitles';
import { randomParameter } from '../randomParameter';
import { layerCounts } from './layers';
import { filled, smallMatrix } from './matrix';
import type { GrowthMethod } from './method';
import { firstUnits } from './units';

/**
 * Direct copy: W' = [[W, R], [R, R]] with R as in a model from scratch; layers beyond the small
 * model's are from scratch altogether.
 */
export const copy = {
  name: 'copy',
  title: methodTitles.copy,
  does: 'Puts the small model into the first rows, columns and layers; the rest is random.',
  preserves: 'The small model’s weights as a block of the large ones; the function changes.',
  source:
    'The direct copy that Chen et al. 2022 (bert2BERT) and Wang et al. 2023 (LiGO) compare with',
  needsData: false,
  making: {
    kind: 'weights',
    copies: growth => ({
      layers: layer => (layer < layerCounts(growth).small ? layer : 'zeros'),
      units: space => firstUnits(growth, space),
    }),
    weights: (growth, small, seed) => parameter => {
      const { layer = 0, shape } = parameter;
      if (layer >= layerCounts(growth).small) {
        return randomParameter(growth.target, parameter, seed);
      }
      const { rows, columns, values } = smallMatrix(growth, small, parameter, layer);
      const scratch = randomParameter(growth.target, parameter, seed, { rows, columns });
      const width = shape[1] ?? 1;
      return filled(parameter, (row, column) =>
        row < rows && column < columns
          ? values[row * columns + column]!
          : scratch[row * width + column]!,
      );
    },
  },
} as const satisfies GrowthMethod;
