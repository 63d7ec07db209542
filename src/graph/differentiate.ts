import { add, expand, scalar } from './build';
import { elementwiseDerivatives, recomputedGelu } from './derivatives/elementwise';
import { indexingDerivatives } from './derivatives/indexing';
import { layoutDerivatives } from './derivatives/layout';
import { matrixDerivatives } from './derivatives/matrix';
import { normalizationDerivatives } from './derivatives/normalization';
import { reductionDerivatives } from './derivatives/reduction';
import type { Derivative, Derivatives } from './derivatives/rule';
import { dependents, topologicalOrder } from './program';
import { recomputation } from './recompute';
import { elementCount } from './shape';
import { ruleOf, type Node, type Operator, type Tensor } from './tensor';

const derivatives: Derivatives = {
  ...elementwiseDerivatives,
  ...matrixDerivatives,
  ...layoutDerivatives,
  ...reductionDerivatives,
  ...indexingDerivatives,
  ...normalizationDerivatives,
};

/** True when the operator has a derivative rule; the others carry no gradient on purpose. */
export const isDifferentiable = (op: Operator): boolean => derivatives[op] !== undefined;

/** How a backward pass is built. */
export interface GradientOptions {
  /**
   * Values to keep for the backward pass, in the order they are computed. What lies between two of
   * them is computed again from the earlier one when its gradient is due: less memory, more time.
   */
  readonly recomputeFrom?: readonly Tensor[];
}

/**
 * Reverse-mode gradients of a scalar with respect to some tensors, as new graph nodes of the same
 * shapes. Work for anything else is not built. A tensor the scalar does not depend on gets zeros.
 * Throws when the path runs through an operator without a derivative.
 */
export function gradients(
  of: Tensor,
  withRespectTo: readonly Tensor[],
  { recomputeFrom = [] }: GradientOptions = {},
): Tensor[] {
  if (elementCount(of.shape) !== 1) throw new Error('Gradients are taken of a scalar');
  const order = topologicalOrder([of]);
  const dependent = dependents(order, withRespectTo);
  const recomputed = recomputation(order, recomputeFrom);
  const collected = new Map<Tensor, Tensor>([[of, expand(scalar(1), of.shape)]]);
  for (const node of order.toReversed()) {
    const outputs = node.outputs.map(output => collected.get(output));
    if (!dependent.has(node) || outputs.every(output => output === undefined)) continue;
    const needed = node.inputs.map(
      input => dependent.has(input.node) || withRespectTo.includes(input),
    );
    if (!needed.some(Boolean)) continue;
    const derivative = ruleOf<Derivative>(derivatives, node);
    if (!derivative) throw new Error(`${node.op} has no derivative`);
    const read = withRecomputedInputs(recomputed.read(node, tensor => collected.get(tensor)));
    derivative(read, outputs, needed).forEach((gradient, index) => {
      const input = node.inputs[index]!;
      if (!gradient || !needed[index]) return;
      recomputed.contributed(input);
      const existing = collected.get(input);
      collected.set(input, existing ? add(existing, gradient) : gradient);
    });
  }
  return withRespectTo.map(tensor => collected.get(tensor) ?? expand(scalar(0), tensor.shape));
}

/** The node with inputs that are cheaper to compute again in the backward pass than to keep. */
function withRecomputedInputs(node: Node): Node {
  if (!node.inputs.some(input => input.node.op === 'Gelu')) return node;
  const inputs = node.inputs.map(input =>
    input.node.op === 'Gelu' ? recomputedGelu(input.node) : input,
  );
  return { ...node, inputs };
}
