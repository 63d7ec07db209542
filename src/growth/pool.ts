import type { Operator, OperatorValues } from './operators';

/** Rows and columns of a pooled picture at most. */
const largestSide = 64;

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
    ...pool(values[name]!, shape),
  }));
}

function pool(
  data: Float32Array,
  [height, width]: readonly [number, number],
): { rows: number; columns: number; values: number[] } {
  const rows = Math.min(height, largestSide);
  const columns = Math.min(width, largestSide);
  const values = new Array<number>(rows * columns).fill(0);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * rows) / height);
    for (let x = 0; x < width; x++) {
      const cell = row * columns + Math.floor((x * columns) / width);
      const value = data[y * width + x]!;
      if (Math.abs(value) > Math.abs(values[cell]!)) values[cell] = value;
    }
  }
  return { rows, columns, values };
}
