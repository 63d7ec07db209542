import { fixedRoles, type Space, type SpaceRole } from '../../architecture/parameter';
import { permutation, randomGenerator, randomStreams } from '../../random';
import { spaceSizes, type Growth } from '../operators';

/** Part of the stream's name: query, key and value are copied together, so they share one. */
const roleStreams: Partial<Record<SpaceRole, number>> = {
  residual: 0,
  query: 1,
  key: 1,
  value: 1,
  ffn: 2,
  head: 3,
};

/** True for spaces whose units come in heads, which are only copied whole. */
const hasHeads = ({ role }: Space): boolean => roleStreams[role] === roleStreams.query;

/**
 * Which small unit each large unit of a space repeats, [D2]: the old ones come first, unchanged, then
 * random ones (Net2Net's g), whole heads where the space has heads. No unit is drawn again before all
 * of them were, so that a multiple of the small size repeats every unit equally often, which is what
 * LayerNorm needs to give the same result.
 */
export function copiedUnits(growth: Growth, space: Space, seed: number): Int32Array {
  const { small, large } = spaceSizes(growth, space.role);
  const units = Int32Array.from({ length: large }, (_, unit) => unit);
  if (fixedRoles.has(space.role) || small === large) return units;
  const { hiddenSize, numAttentionHeads } = growth.source.dimensions;
  const block = hasHeads(space) ? hiddenSize / numAttentionHeads : 1;
  const stream = [randomStreams.unitCopies, roleStreams[space.role]!, space.layer ?? 0];
  const random = randomGenerator(seed, ...stream);
  const blocks = small / block;
  let order = permutation(blocks, random);
  for (let added = 0; small + added * block < large; added++) {
    if (added > 0 && added % blocks === 0) order = permutation(blocks, random);
    const first = small + added * block;
    const chosen = order[added % blocks]! * block;
    for (let unit = 0; unit < block; unit++) units[first + unit] = chosen + unit;
  }
  return units;
}

/** How often each of `size` small units is repeated: [D1]. */
export function copyCounts(units: Int32Array, size: number): Int32Array {
  const counts = new Int32Array(size);
  for (const unit of units) counts[unit]!++;
  return counts;
}
