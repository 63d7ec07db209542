import { simplify, simplifyProgram, type Program, type Tensor } from '../graph';
import type { ObjectiveGraph } from './objective';
import { adamW, type AdamWOptions, type TrainedParameter } from './optimizer';

/** What to do when memory is short, at the cost of time. */
export interface TrainingOptions {
  /** Computes each layer's activations again in the backward pass instead of keeping them. */
  readonly recomputeLayers?: boolean;
  /** Adds up the gradients of several runs before an update; see `runMicroBatches`. */
  readonly accumulate?: boolean;
}

/**
 * One training step as one program: forward, backward, clipping, AdamW. Outputs `loss` (before the
 * update) and `gradientNorm`; the parameters and their moments are its state.
 */
export function trainingProgram(
  objective: ObjectiveGraph,
  parameters: readonly TrainedParameter[],
  frozen: readonly Tensor[],
  options: AdamWOptions,
  { recomputeLayers = false, accumulate = false }: TrainingOptions = {},
): Program {
  // Shared subexpressions are found before differentiating, so that their gradients are shared too.
  const kept = (recomputeLayers ? objective.layerBoundaries : undefined) ?? [];
  const [loss, ...recomputeFrom] = simplify([objective.loss, ...kept]) as [Tensor, ...Tensor[]];
  const optimizer = adamW(loss, parameters, options, { recomputeFrom, accumulate });
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
    outputs: {
      loss: objective.loss,
      ...(objective.predictions && { predictions: objective.predictions }),
    },
  });
}
