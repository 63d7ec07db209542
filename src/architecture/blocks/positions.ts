import { add, concat, constant, expand, mul, neg, reshape, split, type Tensor } from '../../graph';
import type { Rotation } from './attention';
import { setRowsApart, type RowSelection } from './partialLayers';

/** Rotary positions (RoPE, Su et al. 2021) as a model has them. */
export interface RotaryPositions {
  /** Angle by position of each pair of units, radians; a head begins with one pair for each. */
  readonly inverseFrequencies: Float32Array;
  /** What cosines and sines are multiplied by. */
  readonly attentionFactor: number;
}

/** Cosines or sines of every position and unit, [sequence, 2 · pairs]: units j and j + pairs are a pair. */
function table(
  of: (angle: number) => number,
  { inverseFrequencies, attentionFactor }: RotaryPositions,
  sequenceLength: number,
): Tensor {
  const pairs = inverseFrequencies.length;
  const values = new Float32Array(sequenceLength * 2 * pairs);
  for (let position = 0; position < sequenceLength; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      // In float32, as transformers multiplies them.
      const angle = Math.fround(position * inverseFrequencies[pair]!);
      const value = of(angle) * attentionFactor;
      values[position * 2 * pairs + pair] = value;
      values[position * 2 * pairs + pairs + pair] = value;
    }
  }
  return constant(values, [sequenceLength, 2 * pairs]);
}

/** (a, b) → (−b, a) for the halves of the last axis. */
function rotateHalf(x: Tensor): Tensor {
  const axis = x.shape.length - 1;
  const half = x.shape[axis]! / 2;
  const [first, second] = split(x, axis, [half, half]) as [Tensor, Tensor];
  return concat([neg(second), first], axis);
}

/**
 * The rotation of queries and keys [batch, heads, sequence, headSize], for whole sequences or, after
 * selections of rows, for the tokens that are left. Units beyond those that the positions rotate stay.
 */
export function rotary(
  positions: RotaryPositions,
  { batchSize, sequenceLength }: { readonly batchSize: number; readonly sequenceLength: number },
): (selections: readonly RowSelection[]) => Rotation {
  const tables = [Math.cos, Math.sin].map(of => table(of, positions, sequenceLength));
  const size = 2 * positions.inverseFrequencies.length;
  const rotateBy =
    (cosines: Tensor, sines: Tensor): Rotation =>
    x => {
      const axis = x.shape.length - 1;
      const rest = x.shape[axis]! - size;
      const [turned, kept] = rest > 0 ? split(x, axis, [size, rest]) : [x];
      const rotated = add(mul(turned!, cosines), mul(rotateHalf(turned!), sines));
      return kept ? concat([rotated, kept], axis) : rotated;
    };
  return selections => {
    const last = selections.at(-1);
    const shape = last
      ? [last.batchSize, 1, last.sequenceLength, size]
      : [1, 1, sequenceLength, size];
    const selected = (whole: Tensor): Tensor => {
      if (!last) return whole;
      const all = expand(reshape(whole, [1, sequenceLength, size]), [
        batchSize,
        sequenceLength,
        size,
      ]);
      return selections.reduce(
        (rows, selection) => setRowsApart(rows, selection).computed,
        reshape(all, [batchSize * sequenceLength, size]),
      );
    };
    const [cosines, sines] = tables.map(whole => reshape(selected(whole), shape)) as [
      Tensor,
      Tensor,
    ];
    return rotateBy(cosines, sines);
  };
}
