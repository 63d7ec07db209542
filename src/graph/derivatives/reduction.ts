import { expand, firstInput, mul, reshape, softmax } from './shorthand';
import { onlyGradient, type Derivatives } from './rule';
import { reducedShape } from '../shape';
import type { NodeOf, ReductionOperator, Tensor } from '../tensor';

/** The gradient of a reduction with its reduced axes back as size 1. */
function keptGradient(
  node: NodeOf<ReductionOperator>,
  gradients: readonly (Tensor | undefined)[],
): Tensor {
  const shape = reducedShape(firstInput(node).shape, node.attributes.axes, true);
  return reshape(onlyGradient(gradients), shape);
}

/** Derivatives of the reductions. */
export const reductionDerivatives: Derivatives = {
  ReduceSum: (node, gradients) => [expand(keptGradient(node, gradients), firstInput(node).shape)],
  ReduceLogSumExp: (node, gradients) => [
    mul(softmax(firstInput(node)), keptGradient(node, gradients)),
  ],
};
