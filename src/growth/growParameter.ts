import type { Parameter, Space } from '../architecture';
import {
  add,
  elementCount,
  gemm,
  input,
  inputName,
  mul,
  reshape,
  simplifyProgram,
  type Program,
  type Tensor,
} from '../graph';
import { mappingOf, widthOperator } from './mapping';
import { multilinearNames, tensorKind, tensorSizes } from './multilinear';
import {
  axisSizes,
  depthName,
  onesName,
  outerScaleName,
  readsSpace,
  rowOf,
  shareName,
  smallInputName,
  sourcesOf,
  spaceSizes,
  type Growth,
  type OperatorValues,
} from './operators';
import { blendBlocks, blockRange, matricesOf, weightTensor, type MatrixKind } from './weightTensor';
import { spreadVector, widenColumns, widenRows, widenVector } from './widen';

/** Values of the small model by `smallInputName`: stacked layers, or one parameter. */
export type SmallValues = Readonly<Record<string, Float32Array>>;

/** How to compute one grown parameter: a program, and what to feed it. */
export interface ParameterGrowth {
  /** Output `grown` has the parameter's shape. */
  readonly program: Program;
  feeds(operators: OperatorValues, small: SmallValues): Record<string, Float32Array>;
}

/** Values that an input of the program is fed with. */
type Given = (operators: OperatorValues, small: SmallValues) => Float32Array;

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
  const { kind, part } = parameter;
  const row = kind ? rowOf(growth.target, parameter) : 0;
  const given = new Map<Tensor, Given>();
  const take = (name: string, shape: readonly number[], values: Given): Tensor => {
    const tensor = input(name, shape);
    given.set(tensor, values);
    return tensor;
  };
  const takeOperator = (fed: string, name: string, shape: readonly number[]): Tensor =>
    take(fed, shape, values => required(values, name));
  /** Row of the parameter's layer in an operator `[L2, columns]`. */
  const takeRow = (fed: string, name: string, columns: number): Tensor =>
    take(fed, [1, columns], values => rowsOf(required(values, name), row, 1, columns));

  const mapping = mappingOf(Object.keys(operators));
  const shape = parameter.spaces.map(space => axisSizes(growth, space).small);
  const blended = (): Tensor => {
    const matrix = mapping === 'mango' ? tensorKind(parameter) : undefined;
    if (matrix) return blendedMatrix(growth, matrix, take, takeRow);
    const sources = kind ? sourcesOf(growth, parameter).length : 1;
    const small = take('small', [sources, elementCount(shape)], (_, values) =>
      required(values, smallInputName(parameter)),
    );
    if (kind) return gemm(takeRow('row', depthName(kind, part), sources), small);
    const scale = outerScaleName(parameter);
    return operators[scale] ? gemm(takeOperator('scale', scale, [1, 1]), small) : small;
  };
  const ones = kind && onesName(kind, part);
  const sum = blended();
  const shifted = reshape(
    ones !== undefined && operators[ones] ? add(sum, takeRow('ones', ones, 1)) : sum,
    shape,
  );
  // What reads a vector's only axis or a matrix's columns lies along the last axis either way.
  const axis = parameter.spaces.length - 1;
  const share = shareName(parameter.spaces[axis]!);
  const isShared = operators[share] !== undefined && readsSpace(growth, parameter, axis);
  const takeShares = (space: Space): Tensor => {
    const { small } = spaceSizes(growth, space.role);
    return spreadVector(takeOperator('share', share, [1, small]), space.spread);
  };
  const shared = isShared ? mul(shifted, takeShares(parameter.spaces[axis]!)) : shifted;
  const [rows, columns] = parameter.spaces.map((_, index) => {
    const operator = widthOperator(growth, mapping, parameter, index);
    if (!operator) return undefined;
    const lower = takeOperator(`width.${index}`, operator.name, operator.shape);
    return { lower, spread: operator.spread };
  });
  const grown =
    shape.length === 1 ? widenVector(shared, rows) : widenRows(widenColumns(shared, columns), rows);
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
  take: (name: string, shape: readonly number[], values: Given) => Tensor,
  takeRow: (fed: string, name: string, columns: number) => Tensor,
): Tensor {
  const sizes = tensorSizes(growth);
  const small = weightTensor(other => {
    const parameter = growth.source.parameters.find(({ id }) => id === `layers.0.${other}.weight`)!;
    const name = smallInputName(parameter);
    const shape = [sizes.layers, elementCount(parameter.shape)];
    return take(name, shape, (_, values) => required(values, name));
  }, sizes);
  const total = small.shape[0]!;
  const { first, count } = blockRange(kind, sizes.ffn);
  const blocks = take('blocks', [count, total], values =>
    rowsOf(required(values, multilinearNames.blocks), first, count, total),
  );
  const layers = takeRow('layers', multilinearNames.layers, sizes.layers);
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
