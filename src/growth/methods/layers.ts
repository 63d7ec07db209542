import type { Parameter } from '../../architecture';
import type { Growth } from '../operators';
import type { Refusal } from '../target';

/**
 * What a module of a large layer is made of: the same module of a small layer, by number, or zeros or
 * ones throughout.
 */
export type LayerOrigin = number | 'zeros' | 'ones';

/** The origin in every large layer of what a parameter of some layer is. */
export type LayerMap = (layer: number, parameter: Parameter) => LayerOrigin;

/** Numbers of layers: L1 and L2. */
export const layerCounts = ({ source, target }: Growth): { small: number; large: number } => ({
  small: source.dimensions.numHiddenLayers,
  large: target.dimensions.numHiddenLayers,
});

/** Large layer i is small layer i mod L1 (Gong et al. 2019). */
export function stackedLayers(growth: Growth): (layer: number) => number {
  const { small } = layerCounts(growth);
  return layer => layer % small;
}

/** Large layer i is small layer ⌊i · L1 / L2⌋ (Chang et al. 2018; Dong et al. 2020). */
export function interpolatedLayers(growth: Growth): (layer: number) => number {
  const { small, large } = layerCounts(growth);
  return layer => Math.floor((layer * small) / large);
}

/**
 * As often as it fits the whole stack, then its top layers: large layer i is small layer i mod L1 for
 * i < L1 · ⌊L2 / L1⌋, and the layers left over are the small model's last (bert2BERT, Algorithm 1).
 */
export function stackedWithTop(growth: Growth): (layer: number) => number {
  const { small, large } = layerCounts(growth);
  const whole = small * Math.floor(large / small);
  return layer => (layer < whole ? layer % small : small - (large - layer));
}

/** Where a large layer stands among a small layer and the copies that were inserted after it. */
interface Placement {
  readonly origin: number;
  readonly inserted: boolean;
  /** The last of its group: the small layer itself where no copy follows it. */
  readonly last: boolean;
}

/**
 * After small layer j follow ⌊(j + 1) · P / L1⌋ − ⌊j · P / L1⌋ of the P = L2 − L1 new layers: evenly
 * spread, at the end of each group (LLaMA-Pro).
 */
export function insertedPlacements(growth: Growth): readonly Placement[] {
  const { small, large } = layerCounts(growth);
  const before = (layer: number): number => Math.floor((layer * (large - small)) / small);
  return Array.from({ length: small }, (_, origin) => {
    const copies = before(origin + 1) - before(origin);
    return Array.from({ length: copies + 1 }, (_unused, index) => ({
      origin,
      inserted: index > 0,
      last: index === copies,
    }));
  }).flat();
}

/** Why layers cannot be inserted: those behind them would stand where layers of another kind compute. */
export function insertionRefusals(growth: Growth, method: string): readonly Refusal[] {
  const { source, target } = growth;
  const [from, to] = [source.layerTypes, target.layerTypes];
  const stays = insertedPlacements(growth).every(
    ({ origin }, layer) => from?.[origin] === to?.[layer],
  );
  if (stays) return [];
  return [
    {
      reason: `${method} inserts layers, and ${source.modelClass} has layers of several kinds in turn: those behind an inserted one would stand in places of another kind.`,
      remedy: 'Ask for more hidden units alone, or use another method, such as ligo or stack.',
    },
  ];
}

/**
 * New layers are copies of the layer before them that pass their input on. What they add to the
 * residual stream (of W_O and fc2) is zero. That is all where layers normalise what branches read. Where
 * they normalise sums, the new layer's norms still change what they pass on: so the last norm of the
 * group takes over the small layer's weight and bias, and those before it only normalise (weight 1,
 * bias 0), which the next norm repeats without effect. Ours; exact up to the norm's ε.
 */
export function insertedLayers(growth: Growth): LayerMap {
  const placements = insertedPlacements(growth);
  const postNorm = growth.source.normPlacement === 'post';
  return (layer, { kind, part, module, spaces: [out] }) => {
    const { origin, inserted, last } = placements[layer]!;
    const addsToStream = module === 'linear' && out?.role === 'residual';
    if (inserted && addsToStream) return 'zeros';
    const onlyNormalises = (kind === 'ln1' && inserted) || (kind === 'ln2' && !last);
    if (postNorm && onlyNormalises) return part === 'weight' ? 'ones' : 'zeros';
    return origin;
  };
}
