import type { evaluatedModel, evaluation, lossUnit } from './evaluationSchemas';
import type { Inferred } from './inferred';

export type EvaluatedModel = Inferred<typeof evaluatedModel>;
export type Evaluation = Inferred<typeof evaluation>;
export type LossUnit = Inferred<typeof lossUnit>;

/** Held-out scores of one of the models, at a step. */
export interface ModelEvaluation extends Evaluation {
  readonly model: string;
  readonly step: number;
}

/** Evaluations of a run that are kept. */
const mostEvaluations = 1000;

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

/** Evaluations with one more, or a newer one of the same model at the same step; the first ones go. */
export function withEvaluation(
  evaluations: readonly ModelEvaluation[],
  entry: ModelEvaluation,
): readonly ModelEvaluation[] {
  const same = evaluations.findIndex(
    ({ model, step }) => model === entry.model && step === entry.step,
  );
  if (same >= 0) return [...evaluations.toSpliced(same, 1), entry];
  return [...evaluations.slice(1 - mostEvaluations), entry];
}
