import { reduceSum, reshape } from '../build';
import { broadcastAxes, sameShape } from '../shape';
import type { Node, Tensor } from '../tensor';

/**
 * The vector-Jacobian product of one operator.
 * @param gradients of each output; undefined where nothing depends on it.
 * @param needed which inputs need a gradient; a rule skips the work for the others.
 * @returns one gradient an input (undefined where not needed), each of its input's shape.
 */
export type Derivative = (
  node: Node,
  gradients: readonly (Tensor | undefined)[],
  needed: readonly boolean[],
) => readonly (Tensor | undefined)[];

/** The gradient of the only output that can have one. */
export function onlyGradient(gradients: readonly (Tensor | undefined)[]): Tensor {
  const [gradient] = gradients;
  if (!gradient) throw new Error('A derivative was asked for without a gradient');
  return gradient;
}

/** Sums a gradient over the axes along which `target` was broadcast. */
export function sumTo(gradient: Tensor, target: Tensor): Tensor {
  if (sameShape(gradient.shape, target.shape)) return gradient;
  return reshape(reduceSum(gradient, broadcastAxes(target.shape, gradient.shape)), target.shape);
}
