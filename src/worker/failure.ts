import { InterruptedError, UserError } from '../errors';
import { inEditor } from './editorWords';

/** A failure as the host tells it: in words for people, never a stack. */
export interface Failure {
  readonly message: string;
  readonly remedy: string;
  readonly interrupted?: true;
}

/** What went wrong and what to do about it. */
export function explainFailure(error: unknown): Failure {
  if (error instanceof InterruptedError) {
    // The command line says --resume; here a person has a button.
    const remedy = error.saved ? 'Resume the run to go on.' : 'Start the run again.';
    return { message: error.message, remedy, interrupted: true };
  }
  if (error instanceof UserError) return { message: error.message, remedy: inEditor(error.remedy) };
  if (isOutOfMemory(error)) {
    return {
      message: 'The machine ran out of memory.',
      remedy: 'Choose a smaller target, a smaller batch or shorter sequences.',
    };
  }
  return {
    message: `This is a defect of ligo: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'Please report it with the log of the run.',
  };
}

/** Native code and the engine of JavaScript each say it in their own words. */
const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error &&
  /bad_alloc|Array buffer allocation failed|failed to allocate memory|out of memory/i.test(
    error.message,
  );
