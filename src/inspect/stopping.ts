import { InterruptedError } from '../errors';
import { repeat } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** @throws InterruptedError once the person asked to stop */
export function requireGoingOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new InterruptedError('Stopped; nothing was written.', advise`${repeat}.`);
  }
}
