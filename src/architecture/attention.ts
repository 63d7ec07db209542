import {
  add,
  constant,
  matMul,
  mul,
  reshape,
  softmax,
  sub,
  transpose,
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
  const heads = (x: Tensor, perm: readonly number[]): Tensor => {
    const headSize = x.shape[1]! / numAttentionHeads;
    return transpose(reshape(x, [batchSize, sequenceLength, numAttentionHeads, headSize]), perm);
  };
  const width = queries.shape[1]!;
  // Scaling the queries instead of the scores touches fewer numbers.
  const scaledQueries = scaled ? mul(queries, 1 / Math.sqrt(width / numAttentionHeads)) : queries;
  const scores = matMul(heads(scaledQueries, [0, 2, 1, 3]), heads(keys, [0, 2, 3, 1]));
  const weights = softmax(mask ? add(scores, mask) : scores);
  const mixed = transpose(matMul(weights, heads(values, [0, 2, 1, 3])), [0, 2, 1, 3]);
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
