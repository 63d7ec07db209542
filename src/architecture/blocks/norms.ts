import {
  add,
  constant,
  div,
  layerNormalization,
  mul,
  reduceMean,
  sqrt,
  type Tensor,
} from '../../graph';
import type { Weights } from '../weights';

/** A norm by the id of its parameters: x [n, width] → the same shape. */
export type Norm = (weights: Weights, id: string, x: Tensor) => Tensor;

/** LayerNorm (Ba et al. 2016): mean 0 and variance 1, then weight and bias, or weight alone. */
export const layerNorm =
  (epsilon: number, hasBias = true): Norm =>
  (weights, id, x) => {
    const weight = weights.tensor(`${id}.weight`);
    const bias = hasBias
      ? weights.tensor(`${id}.bias`)
      : constant(new Float32Array(weight.shape[0]!), weight.shape);
    return layerNormalization(x, weight, bias, epsilon).y;
  };

/** RMSNorm (Zhang & Sennrich 2019): mean square 1, then weight. */
export const rmsNorm =
  (epsilon: number): Norm =>
  (weights, id, x) => {
    const meanSquare = reduceMean(mul(x, x), [x.shape.length - 1], true);
    return mul(div(x, sqrt(add(meanSquare, epsilon))), weights.tensor(`${id}.weight`));
  };
