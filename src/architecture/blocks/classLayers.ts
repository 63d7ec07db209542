import { add, concat, expand, mul, reshape, slice, type Tensor } from '../../graph';
import type { Weights } from '../weights';
import { attention, type AttentionSizes } from './attention';
import type { FeedForward } from './feedForward';
import { linear } from './linear';
import type { Norm } from './norms';

/** What layers of one forward pass have in common that only the class token passes through. */
export interface ClassLayerSettings extends AttentionSizes {
  /** How many there are. */
  readonly count: number;
  readonly norm: Norm;
  readonly feedForward: FeedForward;
}

/**
 * Class attention (Touvron et al. 2021, arXiv 2103.17239): behind the layers of the patches, [batchSize ·
 * sequenceLength, hiddenSize], a token enters that asks all of them and itself, and alone passes on. `token`
 * is its parameter. What each of these layers gives, [batchSize, hiddenSize].
 */
export function runClassLayers(
  weights: Weights,
  patches: Tensor,
  token: string,
  { count, norm, feedForward, ...sizes }: ClassLayerSettings,
): Tensor[] {
  const { batchSize, sequenceLength } = sizes;
  const width = patches.shape[1]!;
  const length = sequenceLength + 1;
  const sequences = reshape(patches, [batchSize, sequenceLength, width]);
  const asSequences = (state: Tensor): Tensor => reshape(state, [batchSize, 1, width]);
  const entering = expand(reshape(weights.tensor(token), [1, width]), [batchSize, width]);
  const states: Tensor[] = [];
  for (let index = 0; index < count; index++) {
    const layer = `classLayers.${index}`;
    const scaled = (branch: number, x: Tensor): Tensor =>
      mul(x, weights.tensor(`${layer}.scale${branch}.weight`));
    const state = states.at(-1) ?? entering;
    const all = reshape(concat([asSequences(state), sequences], 1), [batchSize * length, width]);
    const normalised = norm(weights, `${layer}.ln1`, all);
    const asking = slice(reshape(normalised, [batchSize, length, width]), 1, 0, 1);
    const queries = linear(weights, `${layer}.q`, reshape(asking, [batchSize, width]));
    const read = weights.linear(normalised, [`${layer}.k`, `${layer}.v`]);
    const [keys, values] = read as [Tensor, Tensor];
    const mixed = attention(queries, keys, values, { ...sizes, sequenceLength: length });
    const middle = add(state, scaled(1, linear(weights, `${layer}.o`, mixed)));
    const transformed = feedForward(weights, layer, norm(weights, `${layer}.ln2`, middle));
    states.push(add(middle, scaled(2, transformed)));
  }
  return states;
}
