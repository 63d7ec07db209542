import * as z from 'zod/mini';
import { measured } from './fieldSchemas';

/** Which model and moment an evaluation belongs to. */
export const evaluatedModel = z.enum(['small', 'before', 'after', 'float32', 'training']);

/** What losses are counted in: of a model that predicts numbers they are mean squared errors. */
export const lossUnit = z.enum(['nats', 'mean squared error']);

/** Held-out scores of a model. */
export const evaluation = z.object({
  /** Mean cross-entropy in nats, or mean squared error where numbers are predicted. */
  loss: measured,
  /** Share of targets predicted right, 0…1; absent where numbers are predicted. */
  accuracy: z.exactOptional(measured),
  /** e to the loss; absent where that says nothing. */
  perplexity: z.exactOptional(measured),
  batches: measured,
});
