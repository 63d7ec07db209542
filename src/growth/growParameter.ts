import type { Parameter } from '../architecture';
import {
  add,
  elementCount,
  gemm,
  input,
  mul,
  reshape,
  simplifyProgram,
  type Program,
  type Tensor,
} from '../graph';
import {
  depthName,
  grows,
  onesName,
  outerNormName,
  readsSpace,
  shareName,
  smallInputName,
  sourcesOf,
  spaceSizes,
  widthName,
  type Growth,
  type OperatorValues,
} from './operators';
import { widenColumns, widenRows, widenVector } from './widen';

/** Values of the small model by `smallInputName`: stacked layers, or one parameter. */
export type SmallValues = Readonly<Record<string, Float32Array>>;

/** How to compute one grown parameter: a program, and what to feed it. */
export interface ParameterGrowth {
  /** Output `grown` has the parameter's shape. */
  readonly program: Program;
  feeds(operators: OperatorValues, small: SmallValues): Record<string, Float32Array>;
}

/**
 * One parameter of the large model from operators and the small model: Σ_j w[i, j] W_j first, then
 * B_out · A_inᵀ (released code's order), in [out, in] orientation. `operators` are only asked for
 * which of the shares and constants there are; without them A = B, as in LiGO.
 */
export function growParameter(
  growth: Growth,
  parameter: Parameter,
  operators: OperatorValues = {},
): ParameterGrowth {
  const { kind, part, layer } = parameter;
  const shape = parameter.spaces.map(({ role }) => spaceSizes(growth, role).small);
  const sources = kind ? sourcesOf(growth, parameter).length : 1;
  const small = input('small', [sources, elementCount(shape)]);
  const row = kind ? input('row', [1, sources]) : undefined;
  const hasOnes = kind !== undefined && operators[onesName(kind, part)] !== undefined;
  const ones = hasOnes ? input('ones', [1, 1]) : undefined;
  const blocks = parameter.spaces.map((space, axis) => {
    if (!grows(growth, space)) return undefined;
    const sizes = spaceSizes(growth, space.role);
    return input(`width.${axis}`, [sizes.large - sizes.small, sizes.small]);
  });
  const shares = parameter.spaces.map((space, axis) =>
    operators[shareName(space)] && readsSpace(growth, parameter, axis)
      ? input(`share.${axis}`, [1, spaceSizes(growth, space.role).small])
      : undefined,
  );
  const scale = kind || !operators[outerNormName(parameter)] ? undefined : input('scale', [1, 1]);
  const factor = row ?? scale;
  const blended = factor ? gemm(factor, small) : small;
  const shifted = reshape(ones ? add(blended, ones) : blended, shape);
  // What reads a vector's only axis or a matrix's columns lies along the last axis either way.
  const share = shares.at(-1);
  const shared = share ? mul(shifted, reshape(share, shape.slice(-1))) : shifted;
  const grown =
    shape.length === 1
      ? widenVector(shared, blocks[0])
      : widenRows(widenColumns(shared, blocks[1]), blocks[0]);
  const present = (tensor: Tensor | undefined): tensor is Tensor => tensor !== undefined;
  return {
    program: simplifyProgram({
      feeds: [small, ...[row, scale, ones, ...blocks, ...shares].filter(present)],
      frozen: [],
      state: [],
      outputs: { grown },
    }),
    feeds: (values, smallValues) => {
      const given: Record<string, Float32Array> = {
        small: required(smallValues, smallInputName(parameter)),
      };
      if (kind && layer !== undefined) {
        const depth = required(values, depthName(kind, part));
        given['row'] = depth.slice(layer * sources, (layer + 1) * sources);
        if (ones) given['ones'] = required(values, onesName(kind, part)).slice(layer, layer + 1);
      }
      if (scale) given['scale'] = required(values, outerNormName(parameter));
      parameter.spaces.forEach((space, axis) => {
        if (blocks[axis]) given[`width.${axis}`] = required(values, widthName(space));
        if (shares[axis]) given[`share.${axis}`] = required(values, shareName(space));
      });
      return given;
    },
  };
}

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
