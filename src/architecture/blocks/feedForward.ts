import { mul, type Tensor } from '../../graph';
import type { Weights } from '../weights';
import type { Activation } from './activations';
import { linear } from './linear';

/** What a layer does with each token by itself, by the layer's id: x [n, hiddenSize] → the same. */
export type FeedForward = (weights: Weights, layer: string, x: Tensor) => Tensor;

/** fc2(activation(fc1(x))). */
export const plainFeedForward =
  (activation: Activation): FeedForward =>
  (weights, layer, x) =>
    linear(weights, `${layer}.fc2`, activation(linear(weights, `${layer}.fc1`, x)));

/** fc2(activation(gate(x)) · fc1(x)), a gated linear unit (Shazeer 2020). */
export const gatedFeedForward =
  (activation: Activation): FeedForward =>
  (weights, layer, x) => {
    const [gate, up] = weights.linear(x, [`${layer}.gate`, `${layer}.fc1`]) as [Tensor, Tensor];
    return linear(weights, `${layer}.fc2`, mul(activation(gate), up));
  };
