import type { Engine } from '../../src/engine';
import { grownWeights } from '../../src/growth';
import { objectiveGraph, optimizerFeeds, trainingProgram } from '../../src/training';
import { withExecutable } from './programs';
import {
  randomOperators,
  randomSmall,
  targets,
  tinyBatch,
  tinyGrowth,
  type SmallModel,
} from './tinyGrowth';

const optimizer = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 1 } as const;
const groups = [{ name: 'operators', learningRate: 1e-2, weightDecay: 0.01 }];
/** Losses of LiGO steps from the same operators on the same batch. */
export async function learningLosses(
  on: Engine,
  model: SmallModel,
  steps: number,
): Promise<number[]> {
  const growth = tinyGrowth(model, targets['in both']);
  const weights = grownWeights(growth);
  const batch = tinyBatch(growth.target);
  const objective = objectiveGraph(growth.target, weights, batch.feeds);
  const parameters = [...weights.operators.values()].map(input => ({ input, group: 'operators' }));
  const program = trainingProgram(objective, parameters, [...weights.small.values()], optimizer);
  const small = randomSmall(growth, 1);
  return withExecutable(on, program, async executable => {
    executable.load({
      ...Object.fromEntries([...weights.small.keys()].map(name => [name, small[name]!])),
      ...randomOperators(growth, 2),
    });
    const losses: number[] = [];
    for (let step = 1; step <= steps; step++) {
      const feeds = optimizerFeeds(groups, optimizer, step, 1);
      losses.push((await executable.run({ ...batch.values, ...feeds }))['loss']![0]!);
    }
    return losses;
  });
}
