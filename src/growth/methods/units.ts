import { fixedRoles, type Space, type SpaceRole } from '../../architecture/parameter';
import { permutation, randomGenerator, randomStreams } from '../../random';
import { spaceSizes, type Growth } from '../operators';

/** Part of the stream's name: heads, and their query, key and value, are copied together, so they share one. */
const roleStreams: Partial<Record<SpaceRole, number>> = {
  residual: 0,
  query: 1,
  key: 1,
  value: 1,
  attentionHead: 1,
  ffn: 2,
  classFfn: 2,
  head: 3,
};

/**
 * Units that are only copied together: of query, key and value those that belong to one pair of key and
 * value heads, with all heads that share it. Where one pair is all there is, heads of queries.
 */
function unitsTogether({ source }: Growth, { role }: Space, size: number): number {
  if (roleStreams[role] !== roleStreams.query) return 1;
  const { numAttentionHeads, numKeyValueHeads = numAttentionHeads } = source.dimensions;
  const sharedByAll = role === 'query' && numKeyValueHeads === 1;
  return size / (sharedByAll ? numAttentionHeads : numKeyValueHeads);
}

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
  const block = unitsTogether(growth, space, small);
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

/** The old units over and over again, [D2]: unit j of each turn is small unit j. */
export function tiledUnits(growth: Growth, { role }: Space): Int32Array {
  const { small, large } = spaceSizes(growth, role);
  return Int32Array.from({ length: large }, (_, unit) => unit % small);
}

/** The old units and no others, [D2]: −1 for what is new. */
export function firstUnits(growth: Growth, { role }: Space): Int32Array {
  const { small, large } = spaceSizes(growth, role);
  return Int32Array.from({ length: large }, (_, unit) => (unit < small ? unit : -1));
}

/** Which entry of the small model's axis each entry of the large one's repeats. */
export const copiedEntries = (growth: Growth, space: Space, seed: number): Int32Array =>
  entriesOf(copiedUnits(growth, space, seed), space);

/** The same by units of the axis's space; −1 for entries of a unit that is none's copy. */
export function entriesOf(units: Int32Array, { spread }: Space): Int32Array {
  const { times, run } = spread ?? { times: 1, run: 1 };
  return Int32Array.from({ length: units.length * times }, (_, entry) => {
    const runs = Math.floor(entry / (times * run));
    const unit = units[runs * run + (entry % run)]!;
    if (unit < 0) return unit;
    const turn = Math.floor(entry / run) % times;
    return (Math.floor(unit / run) * times + turn) * run + (unit % run);
  });
}

/** How often each of `size` small units is repeated: [D1]. */
export function copyCounts(units: Int32Array, size: number): Int32Array {
  const counts = new Int32Array(size);
  for (const unit of units) counts[unit]!++;
  return counts;
}
