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

/** Where row `row` of a block lies along the fused axis of its tensor. */
const rowAt = ({ offset, runs }: Parameter['stored'], row: number): number =>
  offset + (runs ? Math.floor(row / runs.length) * runs.every + (row % runs.length) : row);

/** Visits stretches of a block that lie together both in the parameter and in its stored tensor. */
function eachStretch(
  parameter: Parameter,
  visit: (stretch: { at: number; stored: number; length: number; stride: number }) => void,
): void {
  const { shape: storedShape, transposed, runs, columns: own } = parameter.stored;
  const [rows, columns] = rowsAndColumns(parameter);
  if (own) {
    for (let row = 0; row < rows; row++) {
      const stored = rowAt(parameter.stored, row) * own.total + own.offset;
      visit({ at: row * columns, stored, length: columns, stride: 1 });
    }
    return;
  }
  if (transposed) {
    const stride = storedShape[1] ?? 1;
    for (let row = 0; row < rows; row++) {
      visit({ at: row * columns, stored: rowAt(parameter.stored, row), length: columns, stride });
    }
    return;
  }
  const together = runs?.length ?? rows;
  for (let row = 0; row < rows; row += together) {
    const length = together * columns;
    const stored = rowAt(parameter.stored, row) * columns;
    visit({ at: row * columns, stored, length, stride: 1 });
  }
}

/**
 * A logical parameter cut out of its stored tensor: un-fused, in [out, in] orientation. The result
 * never shares memory with `stored`.
 */
export function extractParameter(parameter: Parameter, stored: Float32Array): Float32Array {
  checkLength(parameter, stored, elementCount(parameter.stored.shape));
  const values = new Float32Array(elementCount(parameter.shape));
  eachStretch(parameter, ({ at, stored: from, length, stride }) => {
    if (stride === 1) values.set(stored.subarray(from, from + length), at);
    else for (let i = 0; i < length; i++) values[at + i] = stored[from + i * stride]!;
  });
  const { plus } = parameter.stored;
  return plus === undefined ? values : values.map(value => value + plus);
}

/** Parameters by the stored tensor that they share, in their order. */
export function byStoredTensor(
  parameters: readonly Parameter[],
): ReadonlyMap<string, readonly Parameter[]> {
  const tensors = new Map<string, Parameter[]>();
  for (const parameter of parameters) {
    const { tensor } = parameter.stored;
    tensors.set(tensor, [...(tensors.get(tensor) ?? []), parameter]);
  }
  return tensors;
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
    const given = values[index];
    const { tensor, plus } = parameter.stored;
    if (!given || tensor !== first.stored.tensor)
      throw new Error(`${parameter.id} is not in ${tensor}`);
    const part = plus === undefined ? given : given.map(value => value - plus);
    checkLength(parameter, part, elementCount(parameter.shape));
    filled += part.length;
    eachStretch(parameter, ({ at, stored: to, length, stride }) => {
      if (stride === 1) assembled.set(part.subarray(at, at + length), to);
      else for (let i = 0; i < length; i++) assembled[to + i * stride] = part[at + i]!;
    });
  });
  if (filled !== size) throw new Error(`${first.stored.tensor}: ${filled} of ${size} values given`);
  return assembled;
}
