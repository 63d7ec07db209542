import type { Parameter } from '../../architecture';
import type { SmallValues } from '../growParameter';
import { axisSizes, smallInputName, sourceRow, sourcesOf, type Growth } from '../operators';
import type { LayerOrigin } from './layers';

/** A matrix, row-major; vectors are one column. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** What the small model has for a large parameter: of one small layer, or outside the layers. */
export function smallMatrix(
  growth: Growth,
  small: SmallValues,
  parameter: Parameter,
  origin: LayerOrigin = 0,
): Matrix {
  const [rows = 1, columns = 1] = parameter.spaces.map(space => axisSizes(growth, space).small);
  const size = rows * columns;
  if (typeof origin !== 'number') {
    return { rows, columns, values: new Float32Array(size).fill(origin === 'ones' ? 1 : 0) };
  }
  const stack = small[smallInputName(parameter)];
  const sources = sourcesOf(growth, parameter).length;
  if (stack?.length !== sources * size) throw new Error(`No values for ${parameter.id}`);
  const at = parameter.kind ? sourceRow(growth, parameter, origin) : origin;
  return { rows, columns, values: stack.subarray(at * size, (at + 1) * size) };
}

/** A large parameter's values, row-major, entry by entry. */
export function filled(
  { shape: [rows = 1, columns = 1] }: Parameter,
  entry: (row: number, column: number) => number,
): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      values[row * columns + column] = entry(row, column);
    }
  }
  return values;
}
