import type { Parameter } from '../architecture';
import { elementCount, gemm, input, reshape, simplifyProgram, type Program } from '../graph';
import { smallInputName } from './grownWeights';
import {
  depthName,
  grows,
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
 * B_out · B_inᵀ (released code's order), in [out, in] orientation.
 */
export function growParameter(growth: Growth, parameter: Parameter): ParameterGrowth {
  const { kind, part, layer } = parameter;
  const shape = parameter.spaces.map(({ role }) => spaceSizes(growth, role).small);
  const sources = kind ? sourcesOf(growth, parameter).length : 1;
  const small = input('small', [sources, elementCount(shape)]);
  const row = kind ? input('row', [1, sources]) : undefined;
  const blocks = parameter.spaces.map((space, axis) => {
    if (!grows(growth, space)) return undefined;
    const sizes = spaceSizes(growth, space.role);
    return input(`width.${axis}`, [sizes.large - sizes.small, sizes.small]);
  });
  const blended = reshape(row ? gemm(row, small) : small, shape);
  const grown =
    shape.length === 1
      ? widenVector(blended, blocks[0])
      : widenRows(widenColumns(blended, blocks[1]), blocks[0]);
  const feeds = [small, ...(row ? [row] : []), ...blocks.filter(block => block !== undefined)];
  return {
    program: simplifyProgram({ feeds, frozen: [], state: [], outputs: { grown } }),
    feeds: (operators, values) => {
      const given: Record<string, Float32Array> = {
        small: required(values, smallInputName(parameter)),
      };
      if (kind && layer !== undefined) {
        const depth = required(operators, depthName(kind, part));
        given['row'] = depth.slice(layer * sources, (layer + 1) * sources);
      }
      parameter.spaces.forEach((space, axis) => {
        if (grows(growth, space)) {
          given[`width.${axis}`] = required(operators, widthName(space));
        }
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
