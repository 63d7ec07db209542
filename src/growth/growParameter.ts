import type { Parameter } from '../architecture';
import {
  elementCount,
  gemm,
  input,
  inputName,
  simplifyProgram,
  type Program,
  type Tensor,
} from '../graph';
import { grownParameter, smallShapeOf, type GrowthReader } from './grownParameter';
import { mappingOf } from './mapping';
import { multilinearNames, tensorKind, tensorSizes } from './multilinear';
import {
  depthName,
  rowOf,
  smallInputName,
  sourcesOf,
  type Growth,
  type OperatorValues,
} from './operators';
import { blendBlocks, blockRange, matricesOf, weightTensor, type MatrixKind } from './weightTensor';

/** Values of the small model by `smallInputName`: stacked layers, or one parameter. */
export type SmallValues = Readonly<Record<string, Float32Array>>;

/** How to compute one grown parameter: a program, and what to feed it. */
export interface ParameterGrowth {
  /**
   * Output `grown` has the parameter's shape. Inputs are named by their order: programs of parameters that
   * are made alike, as one module's in all layers, are the same.
   */
  readonly program: Program;
  feeds(operators: OperatorValues, small: SmallValues): Record<string, Float32Array>;
}

/** Values that an input of the program is fed with. */
type Given = (operators: OperatorValues, small: SmallValues) => Float32Array;

/** Makes an input that is fed with these values. */
type Take = (name: string, shape: readonly number[], values: Given) => Tensor;

/**
 * One parameter of the large model from operators and the small model: Σ_j w[i, j] W_j first, then
 * B_out · A_inᵀ (released code's order), in [out, in] orientation. `operators` are only asked for
 * which there are: Mango's make another sum of small matrices, and without shares and constants A = B.
 */
export function growParameter(
  growth: Growth,
  parameter: Parameter,
  operators: OperatorValues = {},
): ParameterGrowth {
  const given = new Map<Tensor, Given>();
  const inputs = new Map<string, Tensor>();
  // Both axes of a matrix may be widened by one operator.
  const take: Take = (name, shape, values) => {
    const known = inputs.get(name);
    if (known) return known;
    const tensor = input(`given.${inputs.size}`, shape);
    inputs.set(name, tensor);
    given.set(tensor, values);
    return tensor;
  };
  const mapping = mappingOf(Object.keys(operators));
  const row = parameter.kind ? rowOf(growth.target, parameter) : 0;
  const reader: GrowthReader = {
    mapping,
    has: name => operators[name] !== undefined,
    operator: (name, shape) => take(name, shape, values => required(values, name)),
    row: (name, _, columns) =>
      take(name, [1, columns], values => rowsOf(required(values, name), row, 1, columns)),
    blended({ kind, part }) {
      const matrix = mapping === 'mango' ? tensorKind(parameter) : undefined;
      if (matrix) return blendedMatrix(growth, matrix, take, parameter, reader);
      const sources = kind ? sourcesOf(growth, parameter).length : 1;
      const shape = [sources, elementCount(smallShapeOf(growth, parameter))];
      const small = take('small', shape, (_, values) =>
        required(values, smallInputName(parameter)),
      );
      return kind ? gemm(reader.row(depthName(kind, part), parameter, sources), small) : small;
    },
  };
  const grown = grownParameter(growth, reader, parameter);
  return {
    program: simplifyProgram({
      feeds: [...given.keys()],
      frozen: [],
      state: [],
      outputs: { grown },
    }),
    feeds: (values, small) =>
      Object.fromEntries(
        [...given].map(([tensor, valuesOf]) => [inputName(tensor), valuesOf(values, small)]),
      ),
  };
}

/** A matrix of Mango's tensor before it is widened, `[1, out · in]`: blocks of all kinds and layers. */
function blendedMatrix(
  growth: Growth,
  kind: MatrixKind,
  take: Take,
  parameter: Parameter,
  reader: GrowthReader,
): Tensor {
  const sizes = tensorSizes(growth);
  const small = weightTensor(other => {
    const found = growth.source.parameters.find(({ id }) => id === `layers.0.${other}.weight`)!;
    const name = smallInputName(found);
    const shape = [sizes.layers, elementCount(found.shape)];
    return take(name, shape, (_, values) => required(values, name));
  }, sizes);
  const total = small.shape[0]!;
  const { first, count } = blockRange(kind, sizes.ffn);
  const blocks = take('blocks', [count, total], values =>
    rowsOf(required(values, multilinearNames.blocks), first, count, total),
  );
  const layers = reader.row(multilinearNames.layers, parameter, sizes.layers);
  return matricesOf(kind, blendBlocks(small, blocks, layers, sizes), sizes);
}

/** Some rows of a row-major matrix. */
const rowsOf = (
  values: Float32Array,
  first: number,
  count: number,
  columns: number,
): Float32Array => values.slice(first * columns, (first + count) * columns);

function required(values: Readonly<Record<string, Float32Array>>, name: string): Float32Array {
  const found = values[name];
  if (!found) throw new Error(`No values for ${name}`);
  return found;
}

/** The small model's parameters by id, as views into the stacks. */
export function sourceValues(growth: Growth, small: SmallValues): Record<string, Float32Array> {
  const values: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    const stack = required(small, smallInputName(parameter));
    const sources = sourcesOf(growth, parameter);
    const size = stack.length / sources.length;
    sources.forEach(({ id }, index) => {
      values[id] = stack.subarray(index * size, (index + 1) * size);
    });
  }
  return values;
}
