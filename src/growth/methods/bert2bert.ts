import type { Parameter } from '../../architecture';
import { methodTitles } from '../../protocol/methodTitles';
import { axisSizes, entryScale, grows, readsSpace, type Growth } from '../operators';
import { layerCounts, stackedWithTop } from './layers';
import { filled, smallMatrix, type Matrix } from './matrix';
import type { GrowthMethod } from './method';
import { copiedEntries, copiedUnits, copyCounts } from './units';

/** Which small unit each large index of an axis is made of, and what is taken of it. */
interface CopiedAxis {
  readonly units: Int32Array;
  readonly scale: (index: number) => number;
}

function copiedAxis(growth: Growth, parameter: Parameter, axis: number, seed: number): CopiedAxis {
  const space = parameter.spaces[axis];
  if (!space) return { units: Int32Array.of(0), scale: () => 1 };
  const units = copiedEntries(growth, space, seed);
  if (!grows(growth, space) || !readsSpace(growth, parameter, axis)) {
    return { units, scale: () => 1 };
  }
  const counts = copyCounts(units, axisSizes(growth, space).small);
  return { units, scale: index => 1 / counts[units[index]!]! };
}

/** The layer above the one that a large layer repeats; the last one where there is none. */
function layersAbove(growth: Growth): (layer: number) => number {
  const layers = stackedWithTop(growth);
  const last = layerCounts(growth).small - 1;
  return layer => Math.min(layers(layer) + 1, last);
}

/**
 * bert2BERT's advanced knowledge initialisation (AKI): inputs are widened as in FPI, new outputs of
 * layer l repeat rows of layer l + 1 so widened, U'ₗ[j] = Ũₗ[j] for j ≤ D1, else Ũₗ₊₁[g(j)]; the last
 * layer repeats its own. Outside the layers it is FPI. Depth: the widened layers are stacked.
 */
export const bert2bert = {
  name: 'bert2bert',
  title: methodTitles.bert2bert,
  does: 'Copies units; new outputs of a layer come from the layer above. Layers are stacked.',
  preserves: 'The old outputs of each layer’s modules; the function changes.',
  source:
    'Chen et al. 2022, bert2BERT: Towards Reusable Pretrained Language Models (ACL, arXiv 2110.07143)',
  needsData: false,
  making: {
    kind: 'weights',
    copies: (growth, seed) => ({
      layers: stackedWithTop(growth),
      layersOfNewRows: layersAbove(growth),
      units: space => copiedUnits(growth, space, seed),
    }),
    weights: (growth, small, seed) => {
      const [layers, above] = [stackedWithTop(growth), layersAbove(growth)];
      return parameter => {
        const { layer } = parameter;
        const [own, next] = [layers, above].map(origin =>
          smallMatrix(growth, small, parameter, layer === undefined ? 0 : origin(layer)),
        ) as [Matrix, Matrix];
        const rows = copiedAxis(growth, parameter, 0, seed);
        const columns = copiedAxis(growth, parameter, 1, seed);
        const scale = entryScale(growth, parameter);
        return filled(parameter, (row, column) => {
          const { values } = row < own.rows ? own : next;
          const value = values[rows.units[row]! * own.columns + columns.units[column]!]!;
          return value * scale * rows.scale(row) * columns.scale(column);
        });
      };
    },
  },
} as const satisfies GrowthMethod;
