import {
  logits,
  plainWeights,
  type Architecture,
  type Dimensions,
} from '../../../../src/architecture';
import { evaluate, input } from '../../../../src/graph';
import {
  copyOperators,
  growParameter,
  growthMethod,
  smallInputName,
  sourceValues,
  sourcesOf,
  type Growth,
  type GrowthMethodName,
  type SmallValues,
} from '../../../../src/growth';
import { tinyBatch } from '../../../support/tinyGrowth';

/** Values of parameters by id. */
export type Values = Readonly<Record<string, Float32Array>>;

/** Twice the width of `smallSizes`, in whole heads. */
export const doubled: Dimensions = {
  numHiddenLayers: 2,
  hiddenSize: 16,
  numAttentionHeads: 4,
  intermediateSize: 29,
};

/** Every parameter of the large model, as a method makes it without learning. */
export function madeBy(
  name: GrowthMethodName,
  growth: Growth,
  small: SmallValues,
  seed = 0,
): Values {
  const { making } = growthMethod(name);
  if (making.kind === 'learned') throw new Error(`${name} learns`);
  const maker =
    making.kind === 'weights'
      ? making.weights(growth, small, seed)
      : byOperators(growth, small, copyOperators(growth, making.copies(growth, seed)));
  return Object.fromEntries(growth.target.parameters.map(entry => [entry.id, maker(entry)]));
}

const byOperators =
  (growth: Growth, small: SmallValues, operators: Values) =>
  (parameter: Growth['target']['parameters'][number]): Float32Array => {
    const { program, feeds } = growParameter(growth, parameter, operators);
    const [grown] = evaluate([program.outputs['grown']!], feeds(operators, small));
    return Float32Array.from(grown!);
  };

/** The small model's parameters by id. */
export const smallParameters = (growth: Growth, small: SmallValues): Values =>
  sourceValues(growth, small);

/** One small layer's parameter, named as in the large layer. */
export function smallLayer(
  growth: Growth,
  small: SmallValues,
  id: string,
  layer: number,
): Float32Array {
  const parameter = growth.target.parameters.find(entry => entry.id === id)!;
  const stack = small[smallInputName(parameter)]!;
  const size = stack.length / sourcesOf(growth, parameter).length;
  return stack.subarray(layer * size, (layer + 1) * size);
}

/** Every score that a model gives one fixed batch, in float64. */
export function scores(architecture: Architecture, parameters: Values): Float64Array {
  const inputs = new Map(architecture.parameters.map(({ id, shape }) => [id, input(id, shape)]));
  const { feeds, values } = tinyBatch(architecture);
  const forward = architecture.forward(
    plainWeights(id => inputs.get(id)),
    feeds.forward,
  );
  return evaluate([logits(forward.readout(feeds.positions))], { ...parameters, ...values })[0]!;
}
