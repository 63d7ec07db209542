import type { PicturedMatrix } from '../../src/protocol/messages';

/** A matrix as the heatmap draws it; smaller than `shape` when it was pooled on the way. */
export interface Matrix {
  readonly name: string;
  /** Of the whole matrix. */
  readonly shape: readonly [number, number];
  /** Of `values`. */
  readonly rows: number;
  readonly columns: number;
  /** rows × columns, row-major. */
  readonly values: Float32Array;
}

/** JSON has no NaN: what is not finite arrives as null, and Float32Array would make that 0. */
export function toFloat32(values: readonly (number | null)[] | Float32Array): Float32Array {
  if (values instanceof Float32Array) return values;
  const result = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) result[index] = values[index] ?? NaN;
  return result;
}

/** A matrix from the host. */
export function matrixOf({ name, shape, rows, columns, values }: PicturedMatrix): Matrix {
  return { name, shape, rows, columns, values: toFloat32(values) };
}

/**
 * First and last index of the whole axis that cell `index` of `cells` stands for: the inverse of the
 * pooling, which puts element i into cell ⌊i · cells / length⌋.
 */
export function pooledRange(
  index: number,
  cells: number,
  length: number,
): readonly [first: number, last: number] {
  const first = Math.ceil((index * length) / cells);
  return [first, Math.max(first, Math.ceil(((index + 1) * length) / cells) - 1)];
}

/** Half the resolution: of each 2 × 2 block the element of largest magnitude; NaN always survives. */
export function halve({ name, shape, rows, columns, values }: Matrix): Matrix {
  const halfRows = Math.ceil(rows / 2);
  const halfColumns = Math.ceil(columns / 2);
  const result = new Float32Array(halfRows * halfColumns);
  const bottom = rows - 1;
  const right = columns - 1;
  for (let row = 0; row < halfRows; row++) {
    const upper = row * 2 * columns;
    const lower = Math.min(row * 2 + 1, bottom) * columns;
    for (let column = 0; column < halfColumns; column++) {
      const left = column * 2;
      const next = Math.min(left + 1, right);
      let best = values[upper + left] ?? NaN;
      let size = Math.abs(best);
      const consider = (value: number): void => {
        if (!(Math.abs(value) <= size) && !Number.isNaN(best)) {
          best = value;
          size = Math.abs(value);
        }
      };
      consider(values[upper + next] ?? NaN);
      consider(values[lower + left] ?? NaN);
      consider(values[lower + next] ?? NaN);
      result[row * halfColumns + column] = best;
    }
  }
  return { name, shape, rows: halfRows, columns: halfColumns, values: result };
}

/**
 * A matrix with fewer cells, by the rule of pooling: the element of largest magnitude, and NaN where there
 * is one. A matrix that is small enough already is given back.
 */
export function poolTo(matrix: Matrix, mostRows: number, mostColumns: number): Matrix {
  const rows = Math.min(matrix.rows, mostRows);
  const columns = Math.min(matrix.columns, mostColumns);
  if (rows === matrix.rows && columns === matrix.columns) return matrix;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < matrix.rows; row++) {
    const start = Math.floor((row * rows) / matrix.rows) * columns;
    for (let column = 0; column < matrix.columns; column++) {
      const cell = start + Math.floor((column * columns) / matrix.columns);
      const value = matrix.values[row * matrix.columns + column] ?? NaN;
      const present = values[cell] ?? NaN;
      if (Math.abs(value) > Math.abs(present) || Number.isNaN(value)) values[cell] = value;
    }
  }
  return { ...matrix, rows, columns, values };
}
