import { elementCount } from '../../../graph/shape';
import type { NodeOf, Tensor } from '../../../graph/tensor';
import { computing, type Kernel, type KernelRules, type Target, type Value } from './kernel';

/**
 * ScatterElements on axis 0 as a scatter of whole rows: what it is after `decompose`, which
 * leaves indices that are a vector, or one column repeated along every row.
 */
function scatter(node: NodeOf<'ScatterElements'>, { tf }: Target): Kernel {
  const [base, indices, updates] = node.inputs as readonly [Tensor, Tensor, Tensor];
  const column = rowIndices(indices);
  if (!column) throw new Error('ScatterElements was not decomposed into rows');
  const shape = [...base.shape];
  const count = indices.shape[0]!;
  const width = elementCount(shape.slice(1));
  const rows = [shape[0]!, width];
  return {
    // Adding to zeros is the scatter itself.
    reads: isZero(base) ? [column, updates] : [column, updates, base],
    run: (rowOf: Value, added: Value, from?: Value) => [
      tf.tidy(() => {
        const sums = tf.scatterND(
          tf.reshape(rowOf, [count, 1]),
          tf.reshape(added, [count, width]),
          rows,
        );
        const scattered = tf.reshape(sums, shape);
        return from ? tf.add(from, scattered) : scattered;
      }),
    ],
  };
}

/** The `[n, 1, …]` or `[n]` indices of rows that `indices` repeats, if it is that. */
export function rowIndices(indices: Tensor): Tensor | undefined {
  if (indices.shape.length === 1) return indices;
  if (indices.node.op !== 'Expand') return undefined;
  const column = indices.node.inputs[0]!;
  const isColumn =
    column.shape.length === indices.shape.length &&
    column.shape[0] === indices.shape[0] &&
    elementCount(column.shape) === column.shape[0];
  return isColumn ? column : undefined;
}

function isZero({ node }: Tensor): boolean {
  if (node.op === 'Expand' || node.op === 'Reshape') return isZero(node.inputs[0]!);
  return node.op === 'Constant' && node.attributes.data.every(value => value === 0);
}

/** Kernels that pick and place rows. */
export const indexingKernels: KernelRules = {
  Gather: computing(
    ({ tf }) =>
      (x, rows) =>
        tf.gather(x, rows),
  ),
  ScatterElements: scatter,
};
