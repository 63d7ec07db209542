import { computing, type KernelRules } from './kernel';

/** Kernels that compute element by element; both operands of a pair broadcast. */
export const elementwiseKernels: KernelRules = {
  Add: computing(({ tf }) => tf.add),
  Sub: computing(({ tf }) => tf.sub),
  Mul: computing(({ tf }) => tf.mul),
  Div: computing(({ tf }) => tf.div),
  Min: computing(({ tf }) => tf.minimum),
  Neg: computing(({ tf }) => tf.neg),
  Reciprocal: computing(({ tf }) => tf.reciprocal),
  Sqrt: computing(({ tf }) => tf.sqrt),
  Exp: computing(({ tf }) => tf.exp),
  Log: computing(({ tf }) => tf.log),
  Erf: computing(({ tf }) => tf.erf),
  Tanh: computing(({ tf }) => tf.tanh),
  Sigmoid: computing(({ tf }) => tf.sigmoid),
  Relu: computing(({ tf }) => tf.relu),
  Sign: computing(({ tf }) => tf.sign),
};
