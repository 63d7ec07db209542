import { add, layerNormalization, type Tensor } from '../graph';
import type { Activation } from './activations';
import { attention, type AttentionSizes } from './attention';
import { setRowsApart, type PartialLayers } from './partialLayers';
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

/** What a stack of layers has in common, and what of it is computed. */
export interface StackSettings extends Omit<LayerSettings, 'mask'> {
  /** Layers of the whole network. */
  readonly numHiddenLayers: number;
  /** The mask for so many tokens a sequence, added to the attention scores. */
  readonly mask?: (sequenceLength: number) => Tensor;
  readonly partial?: PartialLayers;
}

/** The input of every computed layer and the output of the last: one tensor more than layers. */
export function runLayers(
  layer: typeof preNormLayer,
  weights: Weights,
  input: Tensor,
  { numHiddenLayers, mask, partial = {}, ...common }: StackSettings,
): Tensor[] {
  const { count = numHiddenLayers, tokens, sequences } = partial;
  const over = (sizes: Pick<AttentionSizes, 'batchSize' | 'sequenceLength'>): LayerSettings => ({
    ...common,
    ...sizes,
    ...(mask && { mask: mask(sizes.sequenceLength) }),
  });
  const compute = (index: number, x: Tensor, settings: LayerSettings): Tensor => {
    const rows = sequences?.get(index);
    if (!rows) return layer(weights, index, x, settings);
    const { computed, restore } = setRowsApart(x, rows);
    return restore(layer(weights, index, computed, { ...settings, batchSize: rows.batchSize }));
  };
  /** The outputs of layers `begin` … `end − 1`. */
  const run = (begin: number, end: number, x: Tensor, settings: LayerSettings): Tensor[] => {
    const outputs: Tensor[] = [];
    for (let index = begin; index < end; index++) {
      outputs.push(compute(index, outputs.at(-1) ?? x, settings));
    }
    return outputs;
  };
  const whole = over(common);
  if (!tokens) return [input, ...run(0, count, input, whole)];
  const below = [input, ...run(0, tokens.begin, input, whole)];
  const { computed, restore } = setRowsApart(below.at(-1)!, tokens.rows);
  const middle = run(tokens.begin, tokens.end, computed, over(tokens.rows));
  const restored = restore(middle.at(-1)!);
  return [...below, ...middle.slice(0, -1), restored, ...run(tokens.end, count, restored, whole)];
}
