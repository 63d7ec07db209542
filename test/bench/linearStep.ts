import type { NamedData } from '../../src/engine';
import * as g from '../../src/graph';
import { optimizerFeeds, trainingProgram } from '../../src/training';
import { uniform } from '../support/random';
import type { LigoStep } from './ligoStep';

const [rows, width] = [16, 32];
const optimizer = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 1 } as const;
const groups = [{ name: 'all', learningRate: 1e-3, weightDecay: 0 }];

/** A step of AdamW on x W ≈ y: matrix products, sums and state, in few nodes. */
export function linearStep(): Pick<LigoStep, 'program' | 'operators' | 'frozen' | 'feeds'> {
  const w = g.input('w', [width, width]);
  const [x, y] = [g.input('x', [rows, width]), g.input('y', [rows, width])];
  const error = g.sub(g.gemm(x, w), y);
  const loss = g.reduceSum(g.mul(error, error));
  const objective = { feeds: [x, y], loss, predictions: loss, logits: loss };
  return {
    program: trainingProgram(objective, [{ input: w, group: 'all' }], [], optimizer),
    operators: { w: uniform(1, width * width) },
    frozen: {},
    feeds: (update): NamedData => ({
      x: uniform(update, rows * width),
      y: uniform(update + 1, rows * width),
      ...optimizerFeeds(groups, optimizer, update, 1),
    }),
  };
}
