import {
  add,
  argMax,
  div,
  gather,
  gemm,
  mul,
  reduceLogSumExp,
  reduceSum,
  sub,
  type Tensor,
} from '../graph';
import type { Readout } from './weights';

/** Scores of every class: [n, classes]. */
export function logits({ features, table, bias }: Readout): Tensor {
  const products = gemm(features, table, { transB: true });
  return bias ? add(products, bias) : products;
}

/** The class with the highest score in each row: int32 [n]. */
export function predictions(readout: Readout): Tensor {
  return argMax(logits(readout));
}

/** A training loss and its parts. */
export interface CrossEntropy {
  /** Weighted mean, a scalar. */
  readonly loss: Tensor;
  /** −log softmax(logits)[target] of each row: [n], in nats. */
  readonly perRow: Tensor;
}

/**
 * Cross-entropy of `targets` (int32 [n]) as Σ weightᵢ · lossᵢ / Σ weightᵢ, `weights` float32 [n] with
 * a positive sum; a row of weight 0 does not count, whatever its target. The target's score is formed
 * from its own table row, so neither a one-hot matrix nor a search in the logits appears, and its
 * gradient is a scatter of n rows.
 */
export function crossEntropy(readout: Readout, targets: Tensor, weights: Tensor): CrossEntropy {
  const { features, table, bias } = readout;
  const products = reduceSum(mul(features, gather(table, targets)), [-1]);
  const targetScores = bias ? add(products, gather(bias, targets)) : products;
  const perRow = sub(reduceLogSumExp(logits(readout)), targetScores);
  return { loss: div(reduceSum(mul(perRow, weights)), reduceSum(weights)), perRow };
}
