import {
  add,
  argMax,
  concat,
  constant,
  div,
  gather,
  gemm,
  mul,
  reduceLogSumExp,
  reduceMean,
  reduceSum,
  reshape,
  sub,
  type Tensor,
} from '../graph';
import { softCapped } from './blocks/activations';
import type { Readout } from './weights';

/** Scores of every class: [n, classes]. */
export function logits({ features, table, bias, softCap }: Readout): Tensor {
  const products = gemm(features, table, { transB: true });
  return softCapped(bias ? add(products, bias) : products, softCap);
}

/** The class with the highest score in each row: int32 [n]. */
export function predictions(readout: Readout): Tensor {
  return argMax(logits(readout));
}

/** A training loss and its parts. */
export interface Loss {
  /** Weighted mean, a scalar. */
  readonly loss: Tensor;
  /** Of each row: [n]. */
  readonly perRow: Tensor;
}

/**
 * Cross-entropy of `targets` (int32 [n]) in nats, −log softmax(logits)[target], as Σ weightᵢ · lossᵢ / Σ weightᵢ, `weights` float32 [n] with
 * a positive sum; a row of weight 0 does not count, whatever its target. The target's score is formed
 * from its own table row, so neither a one-hot matrix nor a search in the logits appears, and its
 * gradient is a scatter of n rows.
 */
export function crossEntropy(readout: Readout, targets: Tensor, weights: Tensor): Loss {
  const { features, table, bias, softCap } = readout;
  const products = reduceSum(mul(features, gather(table, targets)), [-1]);
  const targetScores = bias ? add(products, gather(bias, targets)) : products;
  const capped = softCapped(targetScores, softCap);
  return weightedMean(sub(reduceLogSumExp(logits(readout)), capped), weights);
}

const weightedMean = (perRow: Tensor, weights: Tensor): Loss => ({
  loss: div(reduceSum(mul(perRow, weights)), reduceSum(weights)),
  perRow,
});

/** Zeros and the elements of x side by side: [x.length, 2]. */
function besideZero(x: Tensor): Tensor {
  const count = x.shape.reduce((product, length) => product * length, 1);
  return concat([constant(new Float32Array(count), [count, 1]), reshape(x, [count, 1])], 1);
}

/**
 * Cross-entropy of every output with a target of its own, 0…1 (float32 [n, outputs]), the mean over the
 * outputs of each row: log(1 + eˣ) − x · target, as torch's BCEWithLogitsLoss. `weights` as above.
 */
export function binaryCrossEntropy(readout: Readout, targets: Tensor, weights: Tensor): Loss {
  const scores = logits(readout);
  const softplus = reshape(reduceLogSumExp(besideZero(scores)), scores.shape);
  return weightedMean(reduceMean(sub(softplus, mul(scores, targets)), [-1]), weights);
}

/** Which outputs score above 0, so that their probability is above ½: int32 [n · outputs] of 0 and 1. */
export const binaryPredictions = (readout: Readout): Tensor => argMax(besideZero(logits(readout)));

/** Squared distance to `targets` (float32 [n, outputs]), the mean over the outputs of each row. */
export function squaredError(readout: Readout, targets: Tensor, weights: Tensor): Loss {
  const difference = sub(logits(readout), targets);
  return weightedMean(reduceMean(mul(difference, difference), [-1]), weights);
}
