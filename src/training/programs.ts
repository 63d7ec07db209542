import { simplify, simplifyProgram, type Program, type Tensor } from '../graph';
import type { ObjectiveGraph } from './objective';
import { adamW, type AdamWOptions, type TrainedParameter } from './optimizer';

/**
 * One training step as one program: forward, backward, clipping, AdamW. Outputs `loss` (before the
 * update) and `gradientNorm`; the parameters and their moments are its state.
 */
export function trainingProgram(
  objective: ObjectiveGraph,
  parameters: readonly TrainedParameter[],
  frozen: readonly Tensor[],
  options: AdamWOptions,
): Program {
  // Shared subexpressions are found before differentiating, so that their gradients are shared too.
  const [loss] = simplify([objective.loss]) as [Tensor];
  const optimizer = adamW(loss, parameters, options);
  return simplifyProgram({
    feeds: [...objective.feeds, ...optimizer.feeds],
    frozen,
    state: optimizer.state,
    outputs: { loss, gradientNorm: optimizer.gradientNorm },
  });
}

/** Loss and predictions of one batch under fixed parameters. */
export function evaluationProgram(
  objective: ObjectiveGraph,
  parameters: readonly Tensor[],
): Program {
  return simplifyProgram({
    feeds: objective.feeds,
    frozen: parameters,
    state: [],
    outputs: { loss: objective.loss, predictions: objective.predictions },
  });
}
