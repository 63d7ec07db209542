import type { Operator, OperatorValues } from './operators';

/** Rows and columns of an operator's picture at most. */
const largestSide = 64;
/** Significant digits of pooled cells: more than a picture shows, half as long as all of them. */
const pooledDigits = 5;

/** A matrix pooled for a picture: each cell is the element of largest magnitude, so outliers survive. */
export interface PooledOperator {
  readonly name: string;
  readonly group: Operator['group'];
  readonly shape: readonly [number, number];
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** Operators made small enough to be sent as events. */
export function poolOperators(
  operators: readonly Operator[],
  values: OperatorValues,
): PooledOperator[] {
  return operators.map(({ name, group, shape }) => ({
    name,
    group,
    shape,
    ...poolMatrix(values[name]!, shape, largestSide),
  }));
}

/** A matrix that fits into a picture. */
export interface Pooled {
  readonly rows: number;
  readonly columns: number;
  readonly values: number[];
}

/** Makes a row-major matrix at most `largest` cells high and wide, as `openPool` does. */
export function poolMatrix(
  data: Float32Array,
  shape: readonly [number, number],
  largest: number,
): Pooled {
  const pool = openPool(shape, largest);
  pool.add(data, 0);
  return pool.pooled();
}

/**
 * Pools a row-major matrix, at most `largest` cells high and wide, whose elements come in parts. A cell
 * that holds a NaN is NaN; a matrix that is small enough already keeps its exact values.
 */
export function openPool(
  [height, width]: readonly [number, number],
  largest: number,
): {
  /** Adds elements that lie together, from one of the matrix on. */
  add(part: Float32Array, firstElement: number): void;
  pooled(): Pooled;
} {
  const rows = Math.min(height, largest);
  const columns = Math.min(width, largest);
  const isWhole = rows === height && columns === width;
  const values = new Array<number>(rows * columns).fill(0);
  return {
    add(part, firstElement) {
      let y = Math.floor(firstElement / width);
      let x = firstElement - y * width;
      for (const value of part) {
        const cell = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
        if (Math.abs(value) > Math.abs(values[cell]!) || Number.isNaN(value)) values[cell] = value;
        if (++x < width) continue;
        x = 0;
        y++;
      }
    },
    pooled() {
      // Nine digits are enough to give back every float32.
      const digits = isWhole ? 9 : pooledDigits;
      return { rows, columns, values: values.map(value => Number(value.toPrecision(digits))) };
    },
  };
}
