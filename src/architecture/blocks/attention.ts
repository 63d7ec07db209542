import {
  add,
  constant,
  expand,
  matMul,
  mul,
  relu,
  reshape,
  softmax,
  sub,
  transpose,
  transposeLast,
  type Tensor,
} from '../../graph';
import { softCapped } from './activations';

/**
 * Added to the scores of what must not be seen: far enough below every real score that its softmax
 * is exactly 0 and that they do not change it, and small enough that two of them add to a finite number.
 */
const hidden = -(2 ** 100);

/** The sizes one attention works with. */
export interface AttentionSizes {
  readonly batchSize: number;
  /** Tokens of a sequence that have keys and values. */
  readonly sequenceLength: number;
  readonly numAttentionHeads: number;
  /** Fewer than heads where several of them share keys and values (Ainslie et al. 2023); as many where absent. */
  readonly numKeyValueHeads?: number;
  /** What products of queries and keys are multiplied by. Default 1/√headSize. */
  readonly scale?: number;
  /** Where set, scores s become softCap · tanh(s / softCap) before the mask. */
  readonly softCap?: number;
}

/** What is done to heads [batch, heads, sequence, headSize] by where their tokens stand. */
export type Rotation = (x: Tensor) => Tensor;

/** What makes the scores or weights of all heads new ones: [batch, heads, query, key] → the same. */
export type HeadMixing = (x: Tensor) => Tensor;

/** What happens between the projections and the products. */
export interface AttentionSteps {
  /** Added to the scores. */
  readonly mask?: Tensor;
  /** Talking heads (Shazeer et al. 2020): what heads tell each other before the softmax and behind it. */
  readonly mixScores?: HeadMixing;
  readonly mixWeights?: HeadMixing;
  /** What is done to the heads of queries and of keys; nothing where absent. */
  readonly queries?: Rotation;
  readonly keys?: Rotation;
}

const unchanged = (x: Tensor): Tensor => x;

/**
 * Multi-head attention: queries [m, heads · headSize], keys and values [n, keyValueHeads · headSize] →
 * as queries, n = batchSize · sequenceLength; sequences may have fewer queries than keys. `mask` is added
 * to the scores and broadcasts to [batch, heads, query, key].
 */
export function attention(
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  sizes: AttentionSizes,
  { mask, mixScores = unchanged, mixWeights = unchanged, ...turns }: AttentionSteps = {},
): Tensor {
  const { queries: turnQueries = unchanged, keys: turnKeys = unchanged } = turns;
  const { batchSize, sequenceLength, numAttentionHeads, softCap } = sizes;
  const { numKeyValueHeads = numAttentionHeads } = sizes;
  const headSize = queries.shape[1]! / numAttentionHeads;
  const { scale = 1 / Math.sqrt(headSize) } = sizes;
  const heads = (x: Tensor, count: number): Tensor =>
    transpose(reshape(x, [batchSize, x.shape[0]! / batchSize, count, headSize]), [0, 2, 1, 3]);
  /** Each head's keys or values for every head that shares it. */
  const shared = (x: Tensor): Tensor => {
    if (numKeyValueHeads === numAttentionHeads) return x;
    const each = numAttentionHeads / numKeyValueHeads;
    const entries = sequenceLength * headSize;
    const apart = reshape(x, [batchSize, numKeyValueHeads, 1, entries]);
    const repeated = expand(apart, [batchSize, numKeyValueHeads, each, entries]);
    return reshape(repeated, [batchSize, numAttentionHeads, sequenceLength, headSize]);
  };
  const asked = turnQueries(heads(queries, numAttentionHeads));
  const offered = shared(turnKeys(heads(keys, numKeyValueHeads)));
  // In this shape (exchange the last axes, multiply, scale) engines compute it as one product.
  const products = matMul(asked, transposeLast(offered));
  const scores = mixScores(softCapped(scale === 1 ? products : mul(products, scale), softCap));
  const weights = mixWeights(softmax(mask ? add(scores, mask) : scores));
  const mixed = matMul(weights, shared(heads(values, numKeyValueHeads)));
  return reshape(transpose(mixed, [0, 2, 1, 3]), queries.shape);
}

/** The additive form of an attention mask [batch, sequence] of ones (seen) and zeros: [batch, 1, 1, sequence]. */
export function paddingMask(mask: Tensor): Tensor {
  const [batchSize, sequenceLength] = mask.shape as [number, number];
  return reshape(mul(sub(1, mask), hidden), [batchSize, 1, 1, sequenceLength]);
}

/**
 * Two masks as one, under which a token sees what it sees under both. Where it sees nothing, all is
 * hidden alike, so that it attends to everything, as in transformers.
 */
export const bothMasks = (one: Tensor, other: Tensor): Tensor =>
  sub(relu(sub(add(one, other), hidden)), -hidden);

/**
 * The additive mask under which a token sees those at most `reach` tokens before and behind it:
 * [1, 1, sequence, sequence]; undefined where it sees all.
 */
export function localMask(sequenceLength: number, reach = sequenceLength): Tensor | undefined {
  if (reach >= sequenceLength - 1) return undefined;
  const values = Float32Array.from({ length: sequenceLength ** 2 }, (_, index) => {
    const [query, key] = [Math.floor(index / sequenceLength), index % sequenceLength];
    return Math.abs(query - key) > reach ? hidden : 0;
  });
  return constant(values, [1, 1, sequenceLength, sequenceLength]);
}

/**
 * The additive mask under which a token sees itself and what stands before it, or of these the last
 * `window` alone: [1, 1, sequence, sequence].
 */
export function causalMask(sequenceLength: number, window = sequenceLength): Tensor {
  const values = new Float32Array(sequenceLength * sequenceLength);
  for (let query = 0; query < sequenceLength; query++) {
    const row = values.subarray(query * sequenceLength, (query + 1) * sequenceLength);
    row.fill(hidden, query + 1);
    row.fill(hidden, 0, Math.max(0, query - window + 1));
  }
  return constant(values, [1, 1, sequenceLength, sequenceLength]);
}
