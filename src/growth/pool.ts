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

/**
 * Makes a row-major matrix at most `largest` cells high and wide. A cell that holds a NaN is NaN;
 * a matrix that is small enough already keeps its exact values.
 */
export function poolMatrix(
  data: Float32Array,
  [height, width]: readonly [number, number],
  largest: number,
): { rows: number; columns: number; values: number[] } {
  const rows = Math.min(height, largest);
  const columns = Math.min(width, largest);
  // Nine digits are enough to give back every float32.
  const short = (values: Iterable<number>, digits: number): number[] =>
    Array.from(values, value => Number(value.toPrecision(digits)));
  if (rows === height && columns === width) return { rows, columns, values: short(data, 9) };
  const values = new Array<number>(rows * columns).fill(0);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * rows) / height);
    for (let x = 0; x < width; x++) {
      const cell = row * columns + Math.floor((x * columns) / width);
      const value = data[y * width + x]!;
      if (Math.abs(value) > Math.abs(values[cell]!) || Number.isNaN(value)) values[cell] = value;
    }
  }
  return { rows, columns, values: short(values, pooledDigits) };
}
