import type { Lookup, Parameter, Readout, Weights } from '../architecture';
import { sumOfRows } from '../architecture/plainWeights';
import { add, elementCount, gemm, input, reshape, split, type Tensor } from '../graph';
import { chooseForms, narrowsInput, type LinearForm, type LinearSizes } from './linearForm';
import {
  depthName,
  grows,
  operatorsOf,
  sourcesOf,
  spaceSizes,
  widthName,
  type Growth,
} from './operators';
import { narrowColumns, widenColumns, widenRows, widenVector, type LowerBlock } from './widen';

/** The large model's parameters as a graph over operators and the frozen small model. */
export interface GrownWeights extends Weights {
  /** Inputs of the operators, by operator name. */
  readonly operators: ReadonlyMap<string, Tensor>;
  /**
   * Inputs of the small model that were read so far, by input name. `small.q.weight` stacks a module
   * of all small layers, `[L1, out · in]`; `small.<id>` is a parameter outside the layers.
   */
  readonly small: ReadonlyMap<string, Tensor>;
}

/** Name of the input that holds the small model's part of a parameter. */
export const smallInputName = ({ id, kind, part }: Parameter): string =>
  kind ? `small.${kind}.${part}` : `small.${id}`;

/**
 * Builds the grown parameters: small layers are blended by the depth operators first, then widened
 * by the large layer's own width operators (released code's order). Linear modules are computed in
 * their cheapest form, embeddings as small rows widened, heads in the small space.
 */
export function grownWeights(growth: Growth): GrownWeights {
  const operators = new Map<string, Tensor>(
    operatorsOf(growth).map(({ name, shape }) => [name, input(name, shape)]),
  );
  const small = new Map<string, Tensor>();
  const blendedLayers = new Map<string, readonly Tensor[]>();
  const parameters = new Map(growth.target.parameters.map(parameter => [parameter.id, parameter]));

  const parameterOf = (id: string): Parameter => {
    const parameter = parameters.get(id);
    if (!parameter) throw new Error(`The model has no parameter ${id}`);
    return parameter;
  };
  const smallShape = (parameter: Parameter): readonly number[] =>
    parameter.spaces.map(({ role }) => spaceSizes(growth, role).small);
  const smallInput = (parameter: Parameter, shape: readonly number[]): Tensor => {
    const name = smallInputName(parameter);
    const existing = small.get(name) ?? input(name, shape);
    small.set(name, existing);
    return existing;
  };
  const lowerBlock = (parameter: Parameter, axis: number): LowerBlock => {
    const space = parameter.spaces[axis]!;
    return grows(growth, space) ? operators.get(widthName(space)) : undefined;
  };

  /** The parameter at the small model's width: Σ_j w[i, j] · small layer j, or the small one itself. */
  const blended = (parameter: Parameter): Tensor => {
    const shape = smallShape(parameter);
    const { kind, part, layer } = parameter;
    if (!kind || layer === undefined) return smallInput(parameter, shape);
    const name = depthName(kind, part);
    let layers = blendedLayers.get(name);
    if (!layers) {
      const sources = sourcesOf(growth, parameter).length;
      const stack = smallInput(parameter, [sources, elementCount(shape)]);
      const blend = gemm(operators.get(name)!, stack);
      layers = split(blend, 0, new Array<number>(blend.shape[0]!).fill(1));
      blendedLayers.set(name, layers);
    }
    return reshape(layers[layer]!, shape);
  };

  const tensor = (id: string): Tensor => {
    const parameter = parameterOf(id);
    const value = blended(parameter);
    if (value.shape.length === 1) return widenVector(value, lowerBlock(parameter, 0));
    return widenRows(widenColumns(value, lowerBlock(parameter, 1)), lowerBlock(parameter, 0));
  };

  const sizesOf = (parameter: Parameter): LinearSizes => {
    const [out, inner] = parameter.spaces.map(({ role }) => spaceSizes(growth, role));
    return { in1: inner!.small, in2: inner!.large, out1: out!.small, out2: out!.large };
  };

  const linearIn = (x: Tensor, narrowed: Tensor, module: string, form: LinearForm): Tensor => {
    const weight = parameterOf(`${module}.weight`);
    const bias = parameters.get(`${module}.bias`);
    const w = blended(weight);
    const b = bias && blended(bias);
    const [out, inner] = [lowerBlock(weight, 0), lowerBlock(weight, 1)];
    const operand = narrowsInput(form) ? narrowed : x;
    const columns = narrowsInput(form) ? w : widenColumns(w, inner);
    if (form === 'materialize' || form === 'narrowInput') {
      const y = gemm(operand, widenRows(columns, out), { transB: true });
      return b ? add(y, widenVector(b, out)) : y;
    }
    const y = gemm(operand, columns, { transB: true });
    return widenColumns(b ? add(y, b) : y, out);
  };

  const linear = (x: Tensor, modules: readonly string[]): Tensor[] => {
    const weights = modules.map(module => parameterOf(`${module}.weight`));
    const forms = chooseForms(x.shape[0]!, weights.map(sizesOf));
    const narrowed = forms.some(narrowsInput) ? narrowColumns(x, lowerBlock(weights[0]!, 1)) : x;
    return modules.map((module, index) => linearIn(x, narrowed, module, forms[index]!));
  };

  const embedding = (lookups: readonly Lookup[]): Tensor => {
    const sum = sumOfRows(id => blended(parameterOf(id)), lookups);
    return widenColumns(sum, lowerBlock(parameterOf(lookups[0]!.table), 1));
  };

  const readout = (x: Tensor, table: string, bias: string | undefined): Readout => {
    const parameter = parameterOf(table);
    return {
      features: narrowColumns(x, lowerBlock(parameter, 1)),
      table: blended(parameter),
      bias: bias === undefined ? undefined : blended(parameterOf(bias)),
    };
  };

  return { operators, small, tensor, linear, embedding, readout };
}
