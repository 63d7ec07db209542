import type { Evaluation } from './events';

/** What losses are counted in: of a model that predicts numbers they are mean squared errors. */
export const lossUnits = ['nats', 'mean squared error'] as const;
export type LossUnit = (typeof lossUnits)[number];

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
