import type { Lookup, Parameter, Readout, Weights } from '../architecture';
import { sumOfRows } from '../architecture/plainWeights';
import { add, elementCount, gemm, input, reshape, slice, split, type Tensor } from '../graph';
import {
  atSmallWidth,
  axisWidening,
  grownParameter,
  smallShapeOf,
  type GrowthReader,
} from './grownParameter';
import { chooseForms, narrowsInput, type LinearForm, type LinearSizes } from './linearForm';
import { mappingOf } from './mapping';
import { multilinearNames, tensorKind, tensorSizes } from './multilinear';
import {
  axisSizes,
  depthName,
  onesName,
  operatorsOf,
  rowOf,
  shareName,
  smallInputName,
  sourcesOf,
  type Growth,
  type Operator,
} from './operators';
import { blendMatrices } from './weightTensor';
import { narrowColumns, widenColumns, widenRows, type AxisWidening } from './widen';

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

const ones = (count: number): number[] => new Array<number>(count).fill(1);

/** Bytes of a stack of blended layers at most, where more than one layer is in it, unless said otherwise. */
const usualStack = 64 * 2 ** 20;

/**
 * The rows of a depth operator `[L2, L1]` in groups whose blends are stacks of a bounded size: an engine
 * holds a whole stack beside the layers that are taken out of it, and of their gradients as well.
 * @param width elements of one layer
 */
function groupsOfRows(weights: Tensor, width: number, largest: number): readonly Tensor[] {
  const layers = weights.shape[0]!;
  const most = Math.max(1, Math.floor(largest / (4 * width)));
  if (layers <= most) return [weights];
  const groups = Math.ceil(layers / most);
  const sizes = Array.from({ length: groups }, (_, group) => Math.min(most, layers - group * most));
  return split(weights, 0, sizes);
}

/**
 * Builds the grown parameters: small layers are blended by the depth operators first, then widened
 * by the large layer's own width operators (released code's order). Linear modules are computed in
 * their cheapest form, embeddings as small rows widened, heads in the small space. `declared` are the
 * operators of LiGO or Mango, and scales outside the layers where there are some; `stackBytes` is what a
 * stack of blended layers takes at most.
 */
export function grownWeights(
  growth: Growth,
  declared: readonly Operator[] = operatorsOf(growth),
  { stackBytes = usualStack }: { readonly stackBytes?: number } = {},
): GrownWeights {
  const operators = new Map<string, Tensor>(
    declared.map(({ name, shape }) => [name, input(name, shape)]),
  );
  const small = new Map<string, Tensor>();
  const layerRows = new Map<string, readonly Tensor[]>();
  const mapping = mappingOf(operators.keys());
  const parameters = new Map(growth.target.parameters.map(parameter => [parameter.id, parameter]));

  const parameterOf = (id: string): Parameter => {
    const parameter = parameters.get(id);
    if (!parameter) throw new Error(`The model has no parameter ${id}`);
    return parameter;
  };
  const smallInput = (parameter: Parameter, shape: readonly number[]): Tensor => {
    const name = smallInputName(parameter);
    const existing = small.get(name) ?? input(name, shape);
    small.set(name, existing);
    return existing;
  };
  /** Rows [1, n] of the layers of a module kind's part, from stacks of them, made once. */
  const rows = (key: string, stacks: () => readonly Tensor[]): readonly Tensor[] => {
    const known = layerRows.get(key);
    if (known) return known;
    const made = stacks().flatMap(stack => split(stack, 0, ones(stack.shape[0]!)));
    layerRows.set(key, made);
    return made;
  };
  /** A module of all small layers, `[L1, out · in]`. */
  const smallStack = (parameter: Parameter): Tensor =>
    smallInput(parameter, [
      sourcesOf(growth, parameter).length,
      elementCount(smallShapeOf(growth, parameter)),
    ]);
  /** Mango's matrices of all large layers by kind, made once. */
  let matrices: ReadonlyMap<string, Tensor> | undefined;
  const mixedMatrices = (): ReadonlyMap<string, Tensor> =>
    blendMatrices(
      kind => smallStack(parameterOf(`layers.0.${kind}.weight`)),
      operators.get(multilinearNames.blocks)!,
      operators.get(multilinearNames.layers)!,
      tensorSizes(growth),
    );
  /**
   * Row i: Σ_j w[i, j] · small layer j, `[L2, out · in]` in one stack, or in several where it is large;
   * Mango's matrices are made of all kinds.
   */
  const blendedStacks = (parameter: Parameter, depth: string): readonly Tensor[] => {
    const kind = mapping === 'mango' ? tensorKind(parameter) : undefined;
    if (kind) {
      matrices ??= mixedMatrices();
      return [matrices.get(kind)!];
    }
    const [weights, stack] = [operators.get(depth)!, smallStack(parameter)];
    return groupsOfRows(weights, stack.shape[1]!, stackBytes).map(some => gemm(some, stack));
  };

  const reader: GrowthReader = {
    mapping,
    has: name => operators.has(name),
    operator: name => operators.get(name)!,
    row(name, parameter) {
      const row = rowOf(growth.target, parameter);
      return slice(operators.get(name)!, 0, row, row + 1);
    },
    blended(parameter) {
      const { kind, part } = parameter;
      if (!kind) return smallInput(parameter, smallShapeOf(growth, parameter));
      const depth = depthName(kind, part);
      return rows(depth, () => blendedStacks(parameter, depth))[rowOf(growth.target, parameter)]!;
    },
  };
  const blended = (parameter: Parameter): Tensor => atSmallWidth(growth, reader, parameter);
  const widening = (parameter: Parameter, axis: number): AxisWidening =>
    axisWidening(growth, reader, parameter, axis);

  /** A vector at the large model's width. Those of all layers are widened at once if by one operator. */
  const vector = (parameter: Parameter): Tensor => {
    const { kind, part, spaces } = parameter;
    const widened = widening(parameter, 0);
    const hasOwnOperator = mapping !== 'mango' && spaces[0]!.layer !== undefined;
    const isChanged = operators.has(shareName(spaces[0]!));
    if (!widened || !kind || hasOwnOperator || isChanged || operators.has(onesName(kind, part))) {
      return grownParameter(growth, reader, parameter);
    }
    const depth = depthName(kind, part);
    const grown = rows(`grown.${depth}`, () =>
      blendedStacks(parameter, depth).map(stack => widenColumns(stack, widened)),
    );
    const own = grown[rowOf(growth.target, parameter)]!;
    return reshape(own, [own.shape[1]!]);
  };

  const tensor = (id: string): Tensor => {
    const parameter = parameterOf(id);
    return parameter.spaces.length === 1
      ? vector(parameter)
      : grownParameter(growth, reader, parameter);
  };

  const sizesOf = (parameter: Parameter): LinearSizes => {
    const [out, inner] = parameter.spaces.map(space => axisSizes(growth, space));
    return { in1: inner!.small, in2: inner!.large, out1: out!.small, out2: out!.large };
  };

  const linearIn = (x: Tensor, narrowed: Tensor, module: string, form: LinearForm): Tensor => {
    const weight = parameterOf(`${module}.weight`);
    const bias = parameters.get(`${module}.bias`);
    const w = blended(weight);
    const [out, inner] = [widening(weight, 0), widening(weight, 1)];
    const operand = narrowsInput(form) ? narrowed : x;
    const columns = narrowsInput(form) ? w : widenColumns(w, inner);
    if (form === 'materialize' || form === 'narrowInput') {
      const y = gemm(operand, widenRows(columns, out), { transB: true });
      return bias ? add(y, vector(bias)) : y;
    }
    const y = gemm(operand, columns, { transB: true });
    return widenColumns(bias ? add(y, blended(bias)) : y, out);
  };

  const linear = (x: Tensor, modules: readonly string[]): Tensor[] => {
    const weights = modules.map(module => parameterOf(`${module}.weight`));
    const forms = chooseForms(x.shape[0]!, weights.map(sizesOf));
    const narrowed = forms.some(narrowsInput) ? narrowColumns(x, widening(weights[0]!, 1)) : x;
    return modules.map((module, index) => linearIn(x, narrowed, module, forms[index]!));
  };

  const embedding = (lookups: readonly Lookup[]): Tensor => {
    const sum = sumOfRows(id => blended(parameterOf(id)), lookups);
    return widenColumns(sum, widening(parameterOf(lookups[0]!.table), 1));
  };

  const readout = (x: Tensor, table: string, bias: string | undefined): Readout => {
    const parameter = parameterOf(table);
    return {
      features: narrowColumns(x, widening(parameter, 1)),
      table: blended(parameter),
      bias: bias === undefined ? undefined : blended(parameterOf(bias)),
    };
  };

  return { operators, small, tensor, linear, embedding, readout };
}
