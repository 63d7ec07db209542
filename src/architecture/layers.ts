import { add, layerNormalization, type Tensor } from '../graph';
import type { Activation } from './activations';
import { attention, type AttentionSizes } from './attention';
import type { Weights } from './weights';

/** What all layers of one forward pass have in common. */
export interface LayerSettings extends AttentionSizes {
  readonly activation: Activation;
  readonly layerNormEpsilon: number;
  /** Added to the attention scores. */
  readonly mask?: Tensor;
}

/** LayerNorm by the id of its parameters: x [n, width] → [n, width]. */
export function norm(weights: Weights, id: string, x: Tensor, epsilon: number): Tensor {
  return layerNormalization(
    x,
    weights.tensor(`${id}.weight`),
    weights.tensor(`${id}.bias`),
    epsilon,
  ).y;
}

/** One linear module: x [n, in] → [n, out]. */
export function linear(weights: Weights, id: string, x: Tensor): Tensor {
  return weights.linear(x, [id])[0]!;
}

function selfAttention(
  weights: Weights,
  layer: number,
  x: Tensor,
  settings: LayerSettings,
): Tensor {
  const id = `layers.${layer}`;
  const [queries, keys, values] = weights.linear(x, [`${id}.q`, `${id}.k`, `${id}.v`]) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  return linear(weights, `${id}.o`, attention(queries, keys, values, settings, settings.mask));
}

function feedForward(weights: Weights, layer: number, x: Tensor, settings: LayerSettings): Tensor {
  const inner = settings.activation(linear(weights, `layers.${layer}.fc1`, x));
  return linear(weights, `layers.${layer}.fc2`, inner);
}

/** A layer that normalises after each residual sum, as BERT's: x [n, hiddenSize] → the same. */
export function postNormLayer(
  weights: Weights,
  layer: number,
  x: Tensor,
  settings: LayerSettings,
): Tensor {
  const epsilon = settings.layerNormEpsilon;
  const attended = add(x, selfAttention(weights, layer, x, settings));
  const middle = norm(weights, `layers.${layer}.ln1`, attended, epsilon);
  const transformed = add(middle, feedForward(weights, layer, middle, settings));
  return norm(weights, `layers.${layer}.ln2`, transformed, epsilon);
}

/** A layer that normalises what each branch reads, as GPT-2's and ViT's: x [n, hiddenSize] → the same. */
export function preNormLayer(
  weights: Weights,
  layer: number,
  x: Tensor,
  settings: LayerSettings,
): Tensor {
  const epsilon = settings.layerNormEpsilon;
  const attentionInput = norm(weights, `layers.${layer}.ln1`, x, epsilon);
  const middle = add(x, selfAttention(weights, layer, attentionInput, settings));
  const feedForwardInput = norm(weights, `layers.${layer}.ln2`, middle, epsilon);
  return add(middle, feedForward(weights, layer, feedForwardInput, settings));
}

/** The input of every layer and the output of the last: `numHiddenLayers + 1` tensors. */
export function runLayers(
  layer: typeof preNormLayer,
  count: number,
  weights: Weights,
  input: Tensor,
  settings: LayerSettings,
): Tensor[] {
  const states = [input];
  for (let index = 0; index < count; index++) {
    states.push(layer(weights, index, states[index]!, settings));
  }
  return states;
}
