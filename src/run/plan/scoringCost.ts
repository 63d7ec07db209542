import { plainWeights, type Architecture } from '../../architecture';
import { countFlops, elementCount, input } from '../../graph';
import type { Growth } from '../../growth';
import { batchFeeds, objectiveGraph, type BatchShape } from '../../training';

/**
 * Floating-point operations of a held-out batch: the small model is scored on it, and the large one before
 * and after learning.
 */
export function scoringFlops({ source, target }: Growth, shape: BatchShape): number {
  return forwardFlops(source, shape) + 2 * forwardFlops(target, shape);
}

function forwardFlops(architecture: Architecture, shape: BatchShape): number {
  const shapes = new Map(architecture.parameters.map(({ id, shape: own }) => [id, own]));
  const weights = plainWeights(id => {
    const own = shapes.get(id);
    return own && input(id, own);
  });
  const { loss } = objectiveGraph(architecture, weights, batchFeeds(architecture, shape));
  const { matrix, other } = countFlops([loss]);
  return matrix + other;
}

/**
 * Bytes of what lies side by side while the large model is scored: its weights, the small one's, which it
 * is compared with, and the state of learning, which is kept until all is written.
 */
export const scoredBytes = (growth: Growth, stateBytes: number): number =>
  weightBytes(growth.source) + weightBytes(growth.target) + stateBytes;

const weightBytes = ({ parameters }: Architecture): number =>
  parameters.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
