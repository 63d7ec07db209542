import { constant, gemm, reduceSum, reshape } from '../build';
import { broadcastAxes, elementCount, sameShape } from '../shape';
import type { NodeOf, Operator, Tensor } from '../tensor';

/**
 * The vector-Jacobian product of one operator.
 * @param gradients of each output; undefined where nothing depends on it.
 * @param needed which inputs need a gradient; a rule skips the work for the others.
 * @returns one gradient an input (undefined where not needed), each of its input's shape.
 */
export type Derivative<Op extends Operator = Operator> = (
  node: NodeOf<Op>,
  gradients: readonly (Tensor | undefined)[],
  needed: readonly boolean[],
) => readonly (Tensor | undefined)[];

/** Derivatives of some operators, each of its own nodes. */
export type Derivatives = { readonly [Op in Operator]?: Derivative<Op> };

/** The gradient of the only output that can have one. */
export function onlyGradient(gradients: readonly (Tensor | undefined)[]): Tensor {
  const [gradient] = gradients;
  if (!gradient) throw new Error('A derivative was asked for without a gradient');
  return gradient;
}

/** The row made last: a program reads the same one hundreds of times, and it is as long as a batch. */
let lastOnes: Tensor | undefined;

function rowOfOnes(count: number): Tensor {
  if (lastOnes?.shape[1] !== count) {
    lastOnes = constant(new Float32Array(count).fill(1), [1, count]);
  }
  return lastOnes;
}

/** Sums a gradient over the axes along which `target` was broadcast. */
export function sumTo(gradient: Tensor, target: Tensor): Tensor {
  if (sameShape(gradient.shape, target.shape)) return gradient;
  const [rows, columns] = gradient.shape;
  const isRow = target.shape.at(-1) === columns && elementCount(target.shape) === columns;
  if (gradient.shape.length === 2 && isRow) {
    // Column sums as a product with ones: engines are twice as fast at it as at ReduceSum.
    return reshape(gemm(rowOfOnes(rows!), gradient), target.shape);
  }
  return reshape(reduceSum(gradient, broadcastAxes(target.shape, gradient.shape)), target.shape);
}
