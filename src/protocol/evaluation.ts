import type { Evaluation } from './events';

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
