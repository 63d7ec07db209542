import { InterruptedError, UserError } from '../errors';
import type { LoopResult } from '../training';
import { report, type RunContext } from './context';
import { saveRunState } from './runState';

/** A run whose loop ended early. */
export interface StoppedRun {
  readonly out: string;
  readonly fingerprint: string;
  readonly steps: number;
  /** Spent so far. */
  readonly seconds: number;
}

/** Saves the state of a run that did not finish; gives the error that says where it is. */
export async function explainStop(
  context: RunContext,
  { out, fingerprint, steps, seconds }: StoppedRun,
  { outcome, step, state }: LoopResult,
): Promise<UserError> {
  const path = await saveRunState(out, { fingerprint, step, seconds, tensors: state });
  report(context, { type: 'saved', step, path });
  return outcome === 'interrupted'
    ? new InterruptedError(
        `Stopped after ${step} of ${steps} steps; the state is in ${path}.`,
        'Run the same command with --resume to go on.',
      )
    : new UserError(
        `The loss stopped being a number after step ${step}; the last good state is in ${path}.`,
        'Lower the learning rate (--learning-rate) or lengthen the warm-up (--warmup).',
      );
}
