import type { EventEmitter } from 'node:events';
import { UserError } from '../errors';
import type { Host } from './host';
import { advise } from '../remedy/remedy';

/** The part of a process that its output goes through. */
export interface Outlets {
  readonly stdout: EventEmitter;
  readonly stderr: EventEmitter;
}

/** Standard output cannot be written; why a run is stopped, where one goes on. */
export class LostOutput extends UserError {
  constructor(cause: NodeJS.ErrnoException) {
    const why = cause.code === 'ENOSPC' ? 'the disk is full' : cause.message;
    super(
      `Standard output cannot be written: ${why}.`,
      'Send it elsewhere and run the command again.',
      { cause },
    );
  }

  /** The same, with what became of the run that was stopped for it. */
  with({ message, remedy }: UserError): UserError {
    return new UserError(`${this.message} ${message}`, advise`Send it elsewhere. ${remedy}`, {
      cause: this,
    });
  }
}

/**
 * Stops the run, as by Ctrl-C, when its output can go nowhere. A reader that has seen enough
 * (`| head`) is no failure; anything else, such as a full disk, is the reason that the signal then has.
 */
export function stopWithoutOutput(target: Outlets, interruption: AbortController): void {
  target.stdout.on('error', (error: NodeJS.ErrnoException) =>
    interruption.abort(error.code === 'EPIPE' ? undefined : new LostOutput(error)),
  );
  // Nothing is left to tell it to; the run itself goes on.
  target.stderr.on('error', () => undefined);
}

/** Waits until all output went its way. @throws LostOutput when it could not */
export async function requireOutput({ written, signal }: Host): Promise<void> {
  await written?.();
  if (signal.reason instanceof LostOutput) throw signal.reason;
}

/** Resolves when all that was written to an output before has left, or failed to. */
export const afterWriting = (output: NodeJS.WritableStream): Promise<void> =>
  new Promise(resolve => {
    // An error is told in the turn after that of the writing.
    output.write('', () => setImmediate(resolve));
  });
