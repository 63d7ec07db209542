import { InterruptedError, UserError } from '../errors';

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

/** A remedy in the words of the editor: its plans say how data is cut, engines have a command and a setting. */
export const inEditor = (remedy: string): string =>
  remedy
    .replace(/ \(--sequence-length \d+\)/g, ' (Sequence Length… in the plan)')
    .replace(/ \(--[a-z-]+( \d+)?\)/g, '')
    .replace(/^Give (?=--(recompute|share-ffn|batch 1 --accumulate))/, 'Under More…, set ')
    .replace(/--recompute/g, 'Recompute Activations')
    .replace(/--share-ffn/g, 'Share Feed-Forward Operators')
    .replace(/--batch 1 --accumulate (\d+)/g, 'Accumulate to $1 with batches of one')
    .replace(/a smaller --sequence-length/g, 'shorter sequences')
    .replace(/a larger --sequence-length/g, 'longer sequences')
    .replace(/a larger --batch/g, 'a larger batch')
    .replace(/--batch or --sequence-length/g, 'the batch or the length of sequences')
    .replace(/Give --sequence-length (\d+) or less/g, 'Use sequences of at most $1 tokens')
    .replace(/ligo doctor --install [\w-]+/g, 'the command LiGO: Set Up GPU Engine')
    .replace(
      /[Gg]ive --engine (\w+)/g,
      (said, engine: string) => `${said.startsWith('G') ? 'Set' : 'set'} ligo.engine to ${engine}`,
    );

/** Native code and the engine of JavaScript each say it in their own words. */
const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error &&
  /bad_alloc|Array buffer allocation failed|failed to allocate memory|out of memory/i.test(
    error.message,
  );
