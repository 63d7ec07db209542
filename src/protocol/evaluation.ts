import type { evaluatedModel, evaluation, lossUnit } from './evaluationSchemas';
import type { Inferred } from './inferred';

export type EvaluatedModel = Inferred<typeof evaluatedModel>;
export type Evaluation = Inferred<typeof evaluation>;
export type LossUnit = Inferred<typeof lossUnit>;

/** The unit of a loss: what predicts numbers has no accuracy. */
export const lossUnitOf = ({ accuracy }: Pick<Evaluation, 'accuracy'>): LossUnit =>
  accuracy === undefined ? 'mean squared error' : 'nats';

/** The scores alone, of what has more beside them. */
export function evaluationOf({
  loss,
  accuracy,
  perplexity,
  batches,
}: Pick<Evaluation, 'loss' | 'batches'> & {
  readonly accuracy?: number | undefined;
  readonly perplexity?: number | undefined;
}): Evaluation {
  return {
    loss,
    ...(accuracy !== undefined && { accuracy }),
    ...(perplexity !== undefined && { perplexity }),
    batches,
  };
}
