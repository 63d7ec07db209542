import { mul, reduceMean, reduceSum, sub } from './shorthand';
import { onlyGradient, sumTo, type Derivative, type Derivatives } from './rule';
import { firstOutput, type Tensor } from '../tensor';

const softmaxDerivative: Derivative = (node, gradients) => {
  const y = firstOutput(node);
  const g = onlyGradient(gradients);
  return [mul(y, sub(g, reduceSum(mul(g, y), [-1], true)))];
};

/**
 * With x̂ the normalised input and h = g · weight:
 * dx = (h − mean(h) − x̂ · mean(h · x̂)) / σ.
 */
const layerNormalizationDerivative: Derivative = (node, gradients, needed) => {
  if (gradients[1] || gradients[2]) {
    throw new Error('The statistics of LayerNormalization are not differentiable');
  }
  const [x, weight, bias] = node.inputs as readonly [Tensor, Tensor, Tensor];
  const [, mean, inverse] = node.outputs as readonly [Tensor, Tensor, Tensor];
  const g = onlyGradient(gradients);
  const normalized = mul(sub(x, mean), inverse);
  const gradientOfX = (): Tensor => {
    const h = mul(g, weight);
    const projection = mul(normalized, reduceMean(mul(h, normalized), [-1], true));
    return mul(sub(sub(h, reduceMean(h, [-1], true)), projection), inverse);
  };
  return [
    needed[0] ? gradientOfX() : undefined,
    needed[1] ? sumTo(mul(g, normalized), weight) : undefined,
    needed[2] ? sumTo(g, bias) : undefined,
  ];
};

/** Derivatives of softmax and layer normalisation. */
export const normalizationDerivatives: Derivatives = {
  Softmax: softmaxDerivative,
  LayerNormalization: layerNormalizationDerivative,
};
