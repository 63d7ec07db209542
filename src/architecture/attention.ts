import {
  add,
  constant,
  matMul,
  mul,
  reshape,
  softmax,
  sub,
  transpose,
  transposeLast,
  type Tensor,
} from '../graph';

/**
 * Added to the scores of what must not be seen: far enough below every real score that its softmax
 * is exactly 0 in float32, and small enough that two of them still add to a finite number.
 */
const hidden = -1e9;

/** The sizes one attention works with. */
export interface AttentionSizes {
  readonly batchSize: number;
  readonly sequenceLength: number;
  readonly numAttentionHeads: number;
  /** False: raw products, without 1/√headSize. */
  readonly scaled?: boolean;
}

/**
 * Multi-head attention: queries, keys and values [n, width] → [n, width], n = batchSize ·
 * sequenceLength. `mask` is added to the scores and broadcasts to [batch, heads, query, key].
 */
export function attention(
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  { batchSize, sequenceLength, numAttentionHeads, scaled = true }: AttentionSizes,
  mask?: Tensor,
): Tensor {
  const heads = (x: Tensor): Tensor => {
    const headSize = x.shape[1]! / numAttentionHeads;
    const split = reshape(x, [batchSize, sequenceLength, numAttentionHeads, headSize]);
    return transpose(split, [0, 2, 1, 3]);
  };
  const headSize = queries.shape[1]! / numAttentionHeads;
  // In this shape (exchange the last axes, multiply, scale) engines compute it as one product.
  const products = matMul(heads(queries), transposeLast(heads(keys)));
  const scores = scaled ? mul(products, 1 / Math.sqrt(headSize)) : products;
  const weights = softmax(mask ? add(scores, mask) : scores);
  const mixed = transpose(matMul(weights, heads(values)), [0, 2, 1, 3]);
  return reshape(mixed, [batchSize * sequenceLength, values.shape[1]!]);
}

/** The additive form of an attention mask [batch, sequence] of ones (seen) and zeros: [batch, 1, 1, sequence]. */
export function paddingMask(mask: Tensor): Tensor {
  const [batchSize, sequenceLength] = mask.shape as [number, number];
  return reshape(mul(sub(1, mask), hidden), [batchSize, 1, 1, sequenceLength]);
}

/** The additive mask under which a token sees itself and what stands before it: [1, 1, sequence, sequence]. */
export function causalMask(sequenceLength: number): Tensor {
  const values = new Float32Array(sequenceLength * sequenceLength);
  for (let query = 0; query < sequenceLength; query++) {
    values.fill(hidden, query * sequenceLength + query + 1, (query + 1) * sequenceLength);
  }
  return constant(values, [1, 1, sequenceLength, sequenceLength]);
}
