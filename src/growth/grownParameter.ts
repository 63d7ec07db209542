import type { Parameter } from '../architecture';
import { add, mul, reshape, type Tensor } from '../graph';
import { widthOperator, type OperatorMapping } from './mapping';
import {
  axisSizes,
  onesName,
  outerScaleName,
  readsSpace,
  shareName,
  spaceSizes,
  type Growth,
} from './operators';
import { spreadVector, widenColumns, widenRows, widenVector, type AxisWidening } from './widen';

/** Where the making of grown parameters finds operators and small weights, as tensors of its graph. */
export interface GrowthReader {
  readonly mapping: OperatorMapping;
  /** Whether an operator is there that may be left out: a scale, constants, shares. */
  has(name: string): boolean;
  /** An operator that is there. */
  operator(name: string, shape: readonly number[]): Tensor;
  /** The row of the parameter's layer in an operator `[L2, columns]` that is there: `[1, columns]`. */
  row(name: string, parameter: Parameter, columns: number): Tensor;
  /** Σ_j w[i, j] W_j over the small layers, or the small parameter outside of layers: `[1, elements]` or its shape. */
  blended(parameter: Parameter): Tensor;
}

/** The lengths of a parameter's axes in the small model. */
export const smallShapeOf = (growth: Growth, { spaces }: Parameter): readonly number[] =>
  spaces.map(space => axisSizes(growth, space).small);

/** A parameter before it is widened: blended, scaled or shifted, and times the shares of what it reads. */
export function atSmallWidth(growth: Growth, reader: GrowthReader, parameter: Parameter): Tensor {
  const { kind, part, spaces } = parameter;
  const blended = reshape(reader.blended(parameter), smallShapeOf(growth, parameter));
  const [scale, ones] = [outerScaleName(parameter), kind && onesName(kind, part)];
  const scaled =
    !kind && reader.has(scale)
      ? mul(blended, reshape(reader.operator(scale, [1, 1]), []))
      : blended;
  const shifted =
    ones !== undefined && reader.has(ones)
      ? add(scaled, reshape(reader.row(ones, parameter, 1), []))
      : scaled;
  // What reads a vector's only axis or a matrix's columns lies along the last axis either way.
  const axis = spaces.length - 1;
  const space = spaces[axis]!;
  const share = shareName(space);
  if (!reader.has(share) || !readsSpace(growth, parameter, axis)) return shifted;
  const { small } = spaceSizes(growth, space.role);
  return mul(shifted, spreadVector(reader.operator(share, [1, small]), space.spread));
}

/** How an axis of a parameter is widened; undefined where it stays as long as it is. */
export function axisWidening(
  growth: Growth,
  reader: GrowthReader,
  parameter: Parameter,
  axis: number,
): AxisWidening {
  const operator = widthOperator(growth, reader.mapping, parameter, axis);
  if (!operator) return undefined;
  return { lower: reader.operator(operator.name, operator.shape), spread: operator.spread };
}

/** A parameter of the large model: B_out W A_inᵀ, or B w for a vector (released code's order). */
export function grownParameter(growth: Growth, reader: GrowthReader, parameter: Parameter): Tensor {
  const small = atSmallWidth(growth, reader, parameter);
  const [rows, columns] = parameter.spaces.map((_, axis) =>
    axisWidening(growth, reader, parameter, axis),
  );
  if (parameter.spaces.length === 1) return widenVector(small, rows);
  return widenRows(widenColumns(small, columns), rows);
}
