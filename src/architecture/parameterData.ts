import type { Parameter } from './parameter';

const elementCount = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** The parameter's axes: [out, in], or [width, 1] for vectors. */
function rowsAndColumns({ shape }: Parameter): [rows: number, columns: number] {
  return [shape[0] ?? 1, elementCount(shape.slice(1))];
}

function checkLength(parameter: Parameter, values: Float32Array, expected: number): void {
  if (values.length !== expected) {
    throw new Error(`${parameter.id}: ${values.length} values instead of ${expected}`);
  }
}

/**
 * A logical parameter cut out of its stored tensor: un-fused, in [out, in] orientation. The result
 * never shares memory with `stored`.
 */
export function extractParameter(parameter: Parameter, stored: Float32Array): Float32Array {
  const { shape: storedShape, transposed, offset } = parameter.stored;
  checkLength(parameter, stored, elementCount(storedShape));
  const [rows, columns] = rowsAndColumns(parameter);
  if (!transposed) return stored.slice(offset * columns, (offset + rows) * columns);
  const storedColumns = storedShape[1] ?? 1;
  const values = new Float32Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    const start = column * storedColumns + offset;
    for (let row = 0; row < rows; row++) values[row * columns + column] = stored[start + row]!;
  }
  return values;
}

/**
 * A stored tensor put together from the parameters that share it, `values[i]` being those of
 * `parameters[i]`: the inverse of `extractParameter`. Throws when they do not fill the tensor.
 */
export function assembleTensor(
  parameters: readonly Parameter[],
  values: readonly Float32Array[],
): Float32Array {
  const [first] = parameters;
  if (!first) throw new Error('A stored tensor needs at least one parameter');
  const size = elementCount(first.stored.shape);
  const assembled = new Float32Array(size);
  let filled = 0;
  parameters.forEach((parameter, index) => {
    const part = values[index];
    const { tensor, transposed, offset, shape: storedShape } = parameter.stored;
    if (!part || tensor !== first.stored.tensor)
      throw new Error(`${parameter.id} is not in ${tensor}`);
    const [rows, columns] = rowsAndColumns(parameter);
    checkLength(parameter, part, rows * columns);
    filled += part.length;
    if (!transposed) {
      assembled.set(part, offset * columns);
      return;
    }
    const storedColumns = storedShape[1] ?? 1;
    for (let column = 0; column < columns; column++) {
      const start = column * storedColumns + offset;
      for (let row = 0; row < rows; row++) assembled[start + row] = part[row * columns + column]!;
    }
  });
  if (filled !== size) throw new Error(`${first.stored.tensor}: ${filled} of ${size} values given`);
  return assembled;
}
