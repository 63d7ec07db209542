import { exitCodes } from './failure';

/** The part of a process that a person interrupts. */
export interface Interruptible {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

/** Stops a run when its listener asks: the first signal politely, the second at once. */
export function listenForInterruption(target: Interruptible): AbortController {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      target.exit(exitCodes.interrupted);
      return;
    }
    target.stderr.write('\nStopping … (once more to quit at once)\n');
    controller.abort();
  };
  target.on('SIGINT', onSignal);
  target.on('SIGTERM', onSignal);
  return controller;
}
