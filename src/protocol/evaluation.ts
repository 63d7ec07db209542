/** Which model and moment an evaluation belongs to. */
export type EvaluatedModel = 'small' | 'before' | 'after' | 'float32' | 'training';

/** Held-out loss of a model. */
export interface Evaluation {
  /** Mean cross-entropy in nats, or mean squared error where numbers are predicted. */
  readonly loss: number;
  /** Share of targets predicted right, 0…1; absent where numbers are predicted. */
  readonly accuracy?: number;
  /** e to the loss; absent where that says nothing. */
  readonly perplexity?: number;
  readonly batches: number;
}

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
