import { log, reduceMax, softmax, sub } from './build';
import { rewrite } from './rewrite';
import { firstOutput, type NodeOf, type Tensor } from './tensor';

/**
 * Writes operators in the forms that engines compute fastest, equal in value to rounding. Comes after
 * differentiation: what replaces an operator need not have a derivative of its own.
 */
export function lower(results: readonly Tensor[]): Tensor[] {
  return rewrite(results, node =>
    node.op === 'ReduceLogSumExp' ? [viaSoftmax(node)] : node.outputs,
  );
}

/**
 * log Σ eˣ = max x − log max softmax(x), for the largest share of softmax is e^(max x) / Σ eˣ. The
 * gradient reads the softmax anyway, and engines compute it several times faster than ReduceLogSumExp.
 */
function viaSoftmax(node: NodeOf<'ReduceLogSumExp'>): Tensor {
  const [x] = node.inputs as readonly [Tensor];
  const { axes, keepdims } = node.attributes;
  if (axes.length !== 1 || axes[0] !== x.shape.length - 1) return firstOutput(node);
  return sub(reduceMax(x, [...axes], keepdims), log(reduceMax(softmax(x), [...axes], keepdims)));
}
