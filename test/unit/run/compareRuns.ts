import type { FinishedRun } from '../../../src/protocol/comparison';

/** A training step and the held-out loss after it. */
export type HandMadePoint = readonly [step: number, loss: number];

/** What a hand-made run may have besides its losses. */
interface Extras {
  readonly seed?: number;
  readonly growth?: Omit<FinishedRun['growth'], 'steps'>;
}

/** A run made by hand: a step costs 10 FLOPs (5 by the paper's count) and 0.1 s. */
export function finishedRun(
  method: string,
  losses: readonly HandMadePoint[],
  { seed = 0, growth = { flops: 0, paperFlops: 0, seconds: 0 } }: Extras = {},
): FinishedRun {
  return {
    ...{ state: 'finished', method, seed },
    small: { loss: 3.5, accuracy: 0.3, perplexity: Math.exp(3.5), batches: 2 },
    parity: { relativeError: 0.25, agreement: 0.5 },
    growth: { steps: 0, ...growth },
    curve: losses.map(([step, loss]) => ({
      ...{ step, loss, accuracy: 0.2, perplexity: Math.exp(loss), batches: 2 },
      flops: growth.flops + 10 * step,
      paperFlops: growth.paperFlops + 5 * step,
      seconds: growth.seconds + step / 10,
    })),
    fed: { training: `seed ${seed}`, evaluation: 'held out' },
    warnings: [],
  };
}
