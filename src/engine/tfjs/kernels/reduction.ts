import type { ReductionOperator } from '../../../graph/tensor';
import { computing, type KernelRule, type KernelRules, type Tf, type Value } from './kernel';

type Reduction = (x: Value, axes: number[], keepdims?: boolean) => Value;

const reducing = (pick: (tf: Tf) => Reduction): KernelRule<ReductionOperator> =>
  computing(({ tf }, { attributes: { axes, keepdims } }) => {
    const [reduce, along] = [pick(tf), [...axes]];
    return x => reduce(x, along, keepdims);
  });

/** Kernels that reduce axes. */
export const reductionKernels: KernelRules = {
  ReduceSum: reducing(tf => tf.sum),
  ReduceMax: reducing(tf => tf.max),
  ReduceLogSumExp: reducing(tf => tf.logSumExp),
  ArgMax: computing(({ tf }, { attributes }) => {
    return x => tf.argMax(x, attributes.axis);
  }),
  Softmax: computing(({ tf }, { attributes }) => {
    return x => tf.softmax(x, attributes.axis);
  }),
};
