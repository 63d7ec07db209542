import { elementCount, sameShape } from '../../../graph/shape';
import { firstOutput, type NodeOf, type Shape, type Tensor } from '../../../graph/tensor';
import { computing, type KernelRules, type Target, type Value } from './kernel';

type Product = (a: Value, b: Value) => Value;

/** The product of two matrices, either of them transposed on the way. */
function product({ tf, transposeFirst }: Target, transA = false, transB = false): Product {
  if (!transposeFirst || (!transA && !transB)) return (a, b) => tf.matMul(a, b, transA, transB);
  return (a, b) =>
    tf.tidy(() => tf.matMul(transA ? tf.transpose(a) : a, transB ? tf.transpose(b) : b));
}

/** One matrix on the right for all on the left: the rows of all are multiplied together. */
function rowsByMatrix(target: Target, node: NodeOf<'MatMul'>): Product {
  const { tf } = target;
  const shape = [...firstOutput(node).shape];
  const rows = [elementCount(shape.slice(0, -1)), node.inputs[0]!.shape.at(-1)!] as const;
  const multiply = product(target);
  return (a, b) => tf.tidy(() => tf.reshape(multiply(tf.reshape(a, [...rows]), b), shape));
}

/** Every matrix on the left by its own on the right; leading axes broadcast. */
function pairs(target: Target, node: NodeOf<'MatMul'>): Product {
  const { tf } = target;
  const { shape } = firstOutput(node);
  const [left, right] = node.inputs as readonly [Tensor, Tensor];
  const spreadLeft = spreadTo(target, left, shape);
  const spreadRight = spreadTo(target, right, shape);
  return (a, b) => tf.tidy(() => tf.matMul(spreadLeft(a), spreadRight(b)));
}

/** Repeats the matrices of x along the leading axes of `shape`. */
function spreadTo({ tf }: Target, x: Tensor, shape: Shape): (value: Value) => Value {
  const whole = [...shape.slice(0, -2), ...x.shape.slice(-2)];
  return sameShape(whole, x.shape) ? value => value : value => tf.broadcastTo(value, whole);
}

/** Kernels that multiply matrices. */
export const matrixKernels: KernelRules = {
  Gemm: computing((target, { attributes: { transA, transB } }) => product(target, transA, transB)),
  MatMul: computing((target, node) => {
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    if (b.shape.length > 2) return pairs(target, node);
    return a.shape.length > 2 ? rowsByMatrix(target, node) : product(target);
  }),
};
