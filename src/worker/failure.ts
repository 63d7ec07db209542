import { InterruptedError, UserError } from '../errors';
import { editor } from '../remedy/editor';
import { inWords, type Words } from '../remedy/remedy';

/** A failure as the host tells it: in words for people, never a stack. */
export interface Failure {
  readonly message: string;
  readonly remedy: string;
  readonly interrupted?: true;
}

/** What went wrong and what to do about it. */
export function explainFailure(error: unknown, words: Words = editor): Failure {
  if (error instanceof UserError) {
    const { message } = error;
    const remedy = inWords(error.remedy, words);
    return { message, remedy, ...(error instanceof InterruptedError && { interrupted: true }) };
  }
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
