import type { NamedData } from '../../engine';
import { DeviceError, DivergedError, InterruptedError, UserError } from '../../errors';
import { counted } from '../../format';
import type { CurvePoint } from '../../protocol/comparison';
import type { LoopResult } from '../../training';
import { report, type RunContext } from '../context';
import { saveRunState, type RunIdentity, type RunState } from './runState';
import { by, repeat, resume } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** A run whose loop ended early. */
export interface StoppedRun extends RunIdentity {
  readonly out: string;
  readonly steps: number;
  /** Spent so far. */
  readonly seconds: number;
  /** Evaluations so far, where the run makes some. */
  readonly curve?: readonly CurvePoint[];
  /** After which updates it was stopped and gone on with before. */
  readonly resumedAfter?: readonly number[] | undefined;
}

/**
 * Saves states of a run on its way. A disk that refuses is told once and stops nothing: what was saved
 * before stays.
 */
export function savesOnTheWay(
  context: RunContext,
  out: string,
): (state: RunState) => Promise<void> {
  let refused = false;
  return async state => {
    try {
      const path = await saveRunState(out, state);
      report(context, { type: 'saved', step: state.step, path });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { message, remedy } = error;
      if (!refused) {
        const told = `The state after step ${state.step} could not be saved: ${message}`;
        report(context, { type: 'warning', message: told, remedy });
      }
      refused = true;
    }
  };
}

/** Saves the state of a run that did not finish; gives the error that says where it is. */
export async function explainStop(
  context: RunContext,
  { out, steps, ...spent }: StoppedRun,
  { outcome, step, state, failure }: LoopResult,
): Promise<UserError> {
  const path = await saveRunState(out, { ...spent, step, tensors: state });
  report(context, { type: 'saved', step, path });
  if (outcome === 'interrupted') {
    return new InterruptedError(
      `Stopped after ${step} of ${counted(steps, 'step')}; the state is in ${path}.`,
      advise`${resume()} to go on.`,
    );
  }
  if (failure) {
    const message = `${failure.message} The state after step ${step} of ${steps} is in ${path}.`;
    const cause = { cause: failure };
    if (failure instanceof DeviceError) return new DeviceError(message, failure.remedy, cause);
    const remedy = advise`${failure.remedy} Then ${resume()} to go on.`;
    return new UserError(message, remedy, cause);
  }
  return new DivergedError(
    `The loss stopped being a number after step ${step}; the last good state is in ${path}.`,
    advise`Lower the learning rate${by('learningRate')} or lengthen the warm-up${by('warmup')}.`,
  );
}

/** A run whose training is done while its result is not yet written. */
export interface TrainedRun extends StoppedRun {
  /** Parameters and moments after the last step. */
  readonly state: NamedData;
}

/**
 * Does a job that may be stopped at any point. An abort outside the training loop becomes an
 * InterruptedError; training that the job reported as done is saved when what follows it is stopped
 * or fails for a reason a person can mend, so that a run that is resumed need not repeat it.
 */
export async function stoppable<T>(
  context: RunContext,
  job: (onTrained: (run: TrainedRun) => void) => Promise<T>,
): Promise<T> {
  let trained: TrainedRun | undefined;
  try {
    return await job(run => {
      trained = run;
    });
  } catch (error) {
    const aborted = context.signal.aborted && error === context.signal.reason;
    if (!aborted && !(error instanceof UserError)) throw error;
    if (!trained) {
      throw aborted
        ? new InterruptedError('Stopped; nothing was written.', advise`${repeat}.`)
        : error;
    }
    throw await explainUnwritten(context, trained, aborted ? undefined : (error as UserError));
  }
}

/** Saves training whose result could not be written; gives the error that says so. */
async function explainUnwritten(
  context: RunContext,
  { out, steps, state, ...spent }: TrainedRun,
  failure: UserError | undefined,
): Promise<UserError> {
  let path: string;
  try {
    path = await saveRunState(out, { ...spent, step: steps, tensors: state });
  } catch (error) {
    // Most likely for the same reason, a full disk; the first failure is the one to tell.
    if (failure && error instanceof UserError) return failure;
    throw error;
  }
  report(context, { type: 'saved', step: steps, path });
  return failure
    ? new UserError(
        failure.message,
        advise`${failure.remedy} Then ${resume()}: the training is kept in ${path}.`,
        { cause: failure },
      )
    : new InterruptedError(
        `Stopped after training, before its result was written; the state is in ${path}.`,
        advise`${resume()} to finish.`,
      );
}
