import { fixedRoles, type Parameter, type Space } from '../architecture';
import { randomGenerator, randomStreams } from '../random';
import { smallInputName } from './grownWeights';
import type { SmallValues } from './growParameter';
import { sourcesOf, spaceSizes, type Growth } from './operators';

/**
 * Growth without learning: StackBERT in depth (layer i is small layer i mod L1, Gong et al. 2019)
 * and function-preserving copying in width (bert2BERT's FPI, Chen et al. 2022): new units repeat
 * random old ones, whole heads at a time where a space has heads, and whoever reads a unit divides
 * by how often it occurs.
 */
export function copyParameter(
  growth: Growth,
  parameter: Parameter,
  small: SmallValues,
  seed: number,
): Float32Array {
  const stack = small[smallInputName(parameter)]!;
  const sources = parameter.kind ? sourcesOf(growth, parameter).length : 1;
  const size = stack.length / sources;
  const layer = (parameter.layer ?? 0) % sources;
  const values = stack.subarray(layer * size, (layer + 1) * size);
  const axes = parameter.spaces.map((space, axis) => {
    const from = copiedUnits(growth, space, seed);
    const counts = new Float64Array(from.length).fill(0);
    for (const unit of from) counts[unit]!++;
    const reads = axis === 1 && !parameter.id.startsWith('embeddings.');
    return { from, scale: (index: number) => (reads ? 1 / counts[from[index]!]! : 1) };
  });
  const [rows, columns = { from: Int32Array.of(0), scale: () => 1 }] = axes as [
    (typeof axes)[number],
    (typeof axes)[number]?,
  ];
  const smallColumns = size / smallSize(growth, parameter.spaces[0]!);
  const grown = new Float32Array(rows.from.length * columns.from.length);
  for (let row = 0; row < rows.from.length; row++) {
    for (let column = 0; column < columns.from.length; column++) {
      const value = values[rows.from[row]! * smallColumns + columns.from[column]!]!;
      grown[row * columns.from.length + column] = value * columns.scale(column);
    }
  }
  return grown;
}

const smallSize = (growth: Growth, { role }: Space): number => spaceSizes(growth, role).small;

/** Which small unit each large unit of a space repeats; the old ones come first, unchanged. */
function copiedUnits(growth: Growth, space: Space, seed: number): Int32Array {
  const { small, large } = spaceSizes(growth, space.role);
  const units = Int32Array.from({ length: large }, (_, unit) => unit);
  if (fixedRoles.has(space.role) || small === large) return units;
  const hasHeads = space.role === 'query' || space.role === 'key' || space.role === 'value';
  const { hiddenSize, numAttentionHeads } = growth.source.dimensions;
  const block = hasHeads ? hiddenSize / numAttentionHeads : 1;
  // Heads are copied together in query, key and value, so the role is not part of the stream.
  const random = randomGenerator(
    seed,
    randomStreams.unitCopies,
    hasHeads ? 1 : 0,
    space.layer ?? 0,
  );
  for (let first = small; first < large; first += block) {
    const chosen = random.integer(small / block) * block;
    for (let unit = 0; unit < block; unit++) units[first + unit] = chosen + unit;
  }
  return units;
}
