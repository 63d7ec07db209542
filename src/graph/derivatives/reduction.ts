import { expand, firstInput, mul, reshape, softmax } from './shorthand';
import { onlyGradient, type Derivative } from './rule';
import { reducedShape } from '../shape';
import type { Node, Operator, Tensor } from '../tensor';

/** The gradient of a reduction with its reduced axes back as size 1. */
function keptGradient(node: Node, gradients: readonly (Tensor | undefined)[]): Tensor {
  const shape = reducedShape(firstInput(node).shape, node.attributes.axes!, true);
  return reshape(onlyGradient(gradients), shape);
}

/** Derivatives of the reductions. */
export const reductionDerivatives: Partial<Record<Operator, Derivative>> = {
  ReduceSum: (node, gradients) => [expand(keptGradient(node, gradients), firstInput(node).shape)],
  ReduceLogSumExp: (node, gradients) => [
    mul(softmax(firstInput(node)), keptGradient(node, gradients)),
  ],
};
