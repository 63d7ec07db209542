import type { Tensor } from '../../graph';
import type { Weights } from '../weights';

/** One linear module: x [n, in] → [n, out]. */
export function linear(weights: Weights, id: string, x: Tensor): Tensor {
  return weights.linear(x, [id])[0]!;
}
