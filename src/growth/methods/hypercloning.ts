import { methodTitles } from '../../protocol/methodTitles';
import { grows, spaceSizes, type Growth } from '../operators';
import type { Refusal } from '../target';
import { tableRefusals } from './copyOperators';
import { gradientsBesideInserted, insertedLayers } from './layers';
import type { GrowthMethod } from './method';
import { tiledUnits } from './units';

/** What people call the spaces whose sizes they ask for, by the role of the space. */
const asked = { residual: 'hidden units', ffn: 'feed-forward units', query: 'attention heads' };

function partialTiles(growth: Growth): readonly Refusal[] {
  return Object.entries(asked).flatMap(([name, what]) => {
    const role = name as keyof typeof asked;
    if (!grows(growth, { role })) return [];
    const { small, large } = spaceSizes(growth, role);
    // Heads are counted, whether their space is one of heads or of units.
    const { numAttentionHeads } = growth.source.dimensions;
    const unit = role === 'query' ? small / numAttentionHeads : 1;
    if (large % small === 0) return [];
    return [
      {
        reason: `hypercloning repeats the model as a whole: ${large / unit} ${what} are no multiple of ${small / unit}.`,
        remedy: `Ask for ${(small / unit) * Math.ceil(large / small)} ${what}, or use another method, such as lemon or ligo.`,
      },
    ];
  });
}

/**
 * HyperCloning: W' = tile(W, n, n) / n. Every unit, feed-forward unit and head is repeated as often as any
 * other, in turn; what reads them takes an n-th of each. Depth, of which the paper has none, is ours:
 * inserted layers pass their input on.
 */
export const hypercloning = {
  name: 'hypercloning',
  title: methodTitles.hypercloning,
  does: 'Repeats the whole model side by side, divides where copies are read, and inserts layers that pass their input on.',
  preserves: 'The function, up to rounding; sizes become whole multiples.',
  source:
    'Samragh et al. 2024, Scaling Smart: Accelerating LLM Pre-training with Small Model Initialization (arXiv 2409.12903)',
  needsData: false,
  making: {
    kind: 'copies',
    copies: growth => ({
      layers: insertedLayers(growth),
      layersOfGradients: gradientsBesideInserted(growth),
      units: space => tiledUnits(growth, space),
    }),
  },
  refusals: growth => [...partialTiles(growth), ...tableRefusals(growth, 'hypercloning')],
} as const satisfies GrowthMethod;
