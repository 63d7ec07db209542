import type { Parameter } from '../architecture';
import { multilinearNames, multilinearOperators } from './multilinear';
import {
  grows,
  operatorsOf,
  optionalOperators,
  readsColumns,
  spaceSizes,
  widthName,
  type Growth,
  type Operator,
  type OperatorValues,
} from './operators';

/**
 * What operators make large weights of: `ligo` a width operator a space and a depth operator a module
 * kind, `mango` one multi-linear operator over the matrices of all kinds.
 */
export type OperatorMapping = 'ligo' | 'mango';

/** The mapping that operators belong to, by their names. */
export const mappingOf = (names: Iterable<string>): OperatorMapping =>
  [...names].includes(multilinearNames.blocks) ? 'mango' : 'ligo';

/** The operators that are learned. Throws UnsupportedError for growths the mapping does not know. */
export const learnedOperators = (growth: Growth, mapping: OperatorMapping = 'ligo'): Operator[] =>
  mapping === 'mango' ? multilinearOperators(growth) : operatorsOf(growth);

/** The operators of a growth that have values: all learned ones, and those of the others that are set. */
export function operatorsIn(growth: Growth, values: OperatorValues): Operator[] {
  return [
    ...learnedOperators(growth, mappingOf(Object.keys(values))),
    ...optionalOperators(growth).filter(({ name }) => values[name] !== undefined),
  ];
}

/** The operator that widens an axis of a parameter, or each block of it; undefined where nothing grows. */
export function widthOperator(
  growth: Growth,
  mapping: OperatorMapping,
  parameter: Parameter,
  axis: number,
): Pick<Operator, 'name' | 'shape'> | undefined {
  const space = parameter.spaces[axis];
  if (!space || !grows(growth, space)) return undefined;
  const ofSpace = mapping === 'ligo' || space.role === 'head';
  const { small, large } = spaceSizes(growth, ofSpace ? space.role : 'residual');
  const { inputs, outputs } = multilinearNames;
  const ofTensor = readsColumns(parameter, axis) ? inputs : outputs;
  return { name: ofSpace ? widthName(space) : ofTensor, shape: [large - small, small] };
}
