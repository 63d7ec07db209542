import type { Parameter, Spread } from '../architecture';
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
 * kind, `shared-ffn` the same with one width operator for the feed-forward spaces of all layers (ours),
 * `mango` one multi-linear operator over the matrices of all kinds.
 */
export type OperatorMapping = 'ligo' | 'shared-ffn' | 'mango';

const sharedFfnName = 'width.ffn';

/** The mapping that operators belong to, by their names. */
export function mappingOf(names: Iterable<string>): OperatorMapping {
  const all = new Set(names);
  if (all.has(multilinearNames.blocks)) return 'mango';
  return all.has(sharedFfnName) ? 'shared-ffn' : 'ligo';
}

/** The operators that are learned. Throws UnsupportedError for growths the mapping does not know. */
export function learnedOperators(growth: Growth, mapping: OperatorMapping = 'ligo'): Operator[] {
  if (mapping === 'mango') return multilinearOperators(growth);
  const operators = operatorsOf(growth);
  return mapping === 'ligo' ? operators : sharedFfn(operators);
}

/** The same operators with the first of the feed-forward spaces in place of all of them. */
function sharedFfn(operators: readonly Operator[]): Operator[] {
  const isFfn = ({ role }: Operator): boolean => role === 'ffn';
  const first = operators.find(isFfn);
  return operators.flatMap(operator => {
    if (operator === first) return [{ ...operator, name: sharedFfnName }];
    return isFfn(operator) ? [] : [operator];
  });
}

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
): (Pick<Operator, 'name' | 'shape'> & { readonly spread: Spread | undefined }) | undefined {
  const space = parameter.spaces[axis];
  if (!space || !grows(growth, space)) return undefined;
  const ofSpace = mapping !== 'mango' || space.role === 'head';
  const { small, large } = spaceSizes(growth, ofSpace ? space.role : 'residual');
  const { inputs, outputs } = multilinearNames;
  const ofTensor = readsColumns(parameter, axis) ? inputs : outputs;
  const shared = mapping === 'shared-ffn' && space.role === 'ffn';
  const name = shared ? sharedFfnName : ofSpace ? widthName(space) : ofTensor;
  return { name, shape: [large - small, small], spread: space.spread };
}
