import { firstOutput } from '../../../graph/tensor';
import { computing, type KernelRule, type KernelRules, type Value } from './kernel';

const slice: KernelRule<'Slice'> = computing(({ tf }, node) => {
  const { axes, starts } = node.attributes;
  const size = [...firstOutput(node).shape];
  const begin = size.map((_, axis) => (axis === axes[0] ? starts[0] : 0));
  return x => tf.slice(x, begin, size);
});

const split: KernelRule<'Split'> = (node, { tf }) => {
  const { axis, split: sizes } = node.attributes;
  const pieces = [...sizes];
  return { reads: node.inputs, run: (x: Value) => tf.split(x, pieces, axis) };
};

/** Kernels that move values without computing. */
export const layoutKernels: KernelRules = {
  Reshape: computing(({ tf }, node) => {
    const shape = [...firstOutput(node).shape];
    return x => tf.reshape(x, shape);
  }),
  Transpose: computing(({ tf }, { attributes: { perm } }) => {
    const order = [...perm];
    return x => tf.transpose(x, order);
  }),
  Concat: computing(
    ({ tf }, { attributes: { axis } }) =>
      (...parts) =>
        tf.concat(parts, axis),
  ),
  Split: split,
  Slice: slice,
  Expand: computing(({ tf }, node) => {
    const shape = [...firstOutput(node).shape];
    return x => tf.broadcastTo(x, shape);
  }),
};
