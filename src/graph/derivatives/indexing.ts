import { expand, firstInput, gatherElements, reshape, scalar, scatterElements } from './shorthand';
import { onlyGradient, type Derivative, type Derivatives } from './rule';
import type { Tensor } from '../tensor';

const gatherDerivative: Derivative = (node, gradients) => {
  const x = firstInput(node);
  const indices = node.inputs[1]!;
  const g = onlyGradient(gradients);
  const column = reshape(indices, [indices.shape[0]!, ...g.shape.slice(1).map(() => 1)]);
  return [scatterElements(expand(scalar(0), x.shape), expand(column, g.shape), g), undefined];
};

const gatherElementsDerivative: Derivative = (node, gradients) => {
  const [x, indices] = node.inputs as readonly [Tensor, Tensor];
  return [scatterElements(expand(scalar(0), x.shape), indices, onlyGradient(gradients)), undefined];
};

const scatterElementsDerivative: Derivative = (node, gradients, needed) => {
  const g = onlyGradient(gradients);
  return [
    needed[0] ? g : undefined,
    undefined,
    needed[2] ? gatherElements(g, node.inputs[1]!) : undefined,
  ];
};

/** Derivatives of the operators that pick and place rows. */
export const indexingDerivatives: Derivatives = {
  Gather: gatherDerivative,
  GatherElements: gatherElementsDerivative,
  ScatterElements: scatterElementsDerivative,
};
