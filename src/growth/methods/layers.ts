import type { Parameter } from '../../architecture';
import { periodOf } from '../../architecture';
import { givesToStream, type Growth } from '../operators';

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
 * spread, at the end of each group (LLaMA-Pro). Where layers of several kinds come in periods, these are
 * inserted in place of layers, so that every layer stays among its kind; a last period that the small
 * model has a part of is made whole first.
 */
export function insertedPlacements(growth: Growth): readonly Placement[] {
  const { small, large } = layerCounts(growth);
  const { layerTypes } = growth.source;
  const period = layerTypes && large > small ? periodOf(layerTypes) : 1;
  const [have, wanted] = [Math.ceil(small / period), Math.floor(large / period)];
  const before = (index: number): number => Math.floor((index * (wanted - have)) / have);
  return Array.from({ length: have }, (_, index) => {
    const copies = before(index + 1) - before(index);
    return Array.from({ length: copies + 1 }, (_unused, copy) =>
      Array.from({ length: period }, (_place, place) => {
        const layer = index * period + place;
        const exists = layer < small;
        return {
          origin: exists ? layer : layer - period,
          inserted: copy > 0 || !exists,
          last: copy === copies,
        };
      }),
    ).flat();
  }).flat();
}

/**
 * Which small layer's gradients a large layer has, where new layers pass their input on (`insertedLayers`):
 * each small layer keeps its own, and a new one has none of any, but for the norm that takes over its group's.
 */
export function gradientsBesideInserted(growth: Growth): LayerMap {
  const placements = insertedPlacements(growth);
  const weights = insertedLayers(growth);
  const isPostNorm = growth.source.normPlacement === 'post';
  return (layer, parameter) => {
    const { inserted, last } = placements[layer]!;
    const takesOver = isPostNorm && parameter.kind === 'ln2' && last;
    return inserted && !takesOver ? 'zeros' : weights(layer, parameter);
  };
}

/**
 * New layers are copies of the layer before them that pass their input on. What they add to the
 * residual stream (of W_O and fc2, or of the norm or the factors behind them) is zero. That is all where layers do not
 * normalise sums. Where they do, the new layer's norms still change what they pass on: so the last norm of the
 * group takes over the small layer's weight and bias, and those before it only normalise (weight 1,
 * bias 0), which the next norm repeats without effect. Ours; exact up to the norm's ε.
 */
export function insertedLayers(growth: Growth): LayerMap {
  const placements = insertedPlacements(growth);
  const { normPlacement } = growth.source;
  const postNorm = normPlacement === 'post';
  const { parameters } = growth.source;
  const normsOutputs = parameters.some(givesToStream);
  const scalesOutputs = parameters.some(({ module }) => module === 'scale');
  return (layer, parameter) => {
    const { kind, part, module, spaces } = parameter;
    const { origin, inserted, last } = placements[layer]!;
    // Behind zeros a norm's gradient would be 1 / √ε: its own weight is the zero then.
    const addsToStream = normsOutputs
      ? givesToStream(parameter)
      : scalesOutputs
        ? module === 'scale'
        : module === 'linear' && spaces[0]?.role === 'residual';
    if (inserted && addsToStream) return 'zeros';
    const onlyNormalises = (kind === 'ln1' && inserted) || (kind === 'ln2' && !last);
    if (postNorm && onlyNormalises) return part === 'weight' ? 'ones' : 'zeros';
    return origin;
  };
}
