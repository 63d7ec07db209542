import { poolMatrix } from '../growth/pool';
import type { PackedMatrix, PooledMatrix } from '../protocol/events';
import { packMatrix } from '../protocol/packedMatrix';

/** Longest sides that pictures are made smaller to, one after the other, until they fit. */
const sides = [64, 48, 32, 24, 16, 12, 8, 4];
/** Bytes that an operator takes beside its name and cells. */
const headBytes = 160;

/** Operators made to fit into some bytes of a line. */
export interface FittingPicture {
  readonly operators: readonly (PooledMatrix | PackedMatrix)[];
  /** Operators that found no place: even the smallest pictures of all of them are too many. */
  readonly omitted: number;
}

/**
 * The best picture of operators that takes at most so many bytes: as it is, packed, made smaller, and
 * as the last resort of the first operators alone.
 */
export function fitPicture(operators: readonly PooledMatrix[], bytes: number): FittingPicture {
  if (textBytes(operators, bytes) <= bytes) return { operators, omitted: 0 };
  const side = sides.find(each => total(operators, each) <= bytes);
  if (side !== undefined) {
    return {
      operators: operators.map(operator => packMatrix(smaller(operator, side))),
      omitted: 0,
    };
  }
  const smallest = sides.at(-1)!;
  let left = bytes;
  const kept = operators.filter(operator => (left -= packedBytes(operator, smallest)) >= 0);
  return {
    operators: kept.map(operator => packMatrix(smaller(operator, smallest))),
    omitted: operators.length - kept.length,
  };
}

/** Length as JSON; stops counting beyond `most`. */
function textBytes(operators: readonly PooledMatrix[], most: number): number {
  let length = 0;
  for (const operator of operators) {
    // No cell takes fewer than two characters with its comma.
    if (length + operator.values.length * 2 > most) return Infinity;
    length += JSON.stringify(operator).length + 1;
  }
  return length;
}

const total = (operators: readonly PooledMatrix[], side: number): number =>
  operators.reduce((sum, operator) => sum + packedBytes(operator, side), 0);

const packedBytes = ({ name, rows, columns }: PooledMatrix, side: number): number =>
  headBytes +
  Buffer.byteLength(JSON.stringify(name)) +
  Math.ceil((Math.min(rows, side) * Math.min(columns, side) * 8) / 3);

/** Pooled once more, by the same rule. */
function smaller(operator: PooledMatrix, side: number): PooledMatrix {
  const { rows, columns, values } = operator;
  if (rows <= side && columns <= side) return operator;
  return { ...operator, ...poolMatrix(Float32Array.from(values), [rows, columns], side) };
}
