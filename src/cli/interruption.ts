import { exitCodes } from './failure';

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGBREAK';

/** The part of a process that a person interrupts. */
export interface Interruptible {
  on(signal: Signal, listener: () => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

/**
 * Stops a run when its listener asks: the first signal politely, the second at once. A terminal that
 * closes (SIGHUP) only ever asks politely: both shell and system send it, nobody insists by it.
 */
export function listenForInterruption(target: Interruptible): AbortController {
  const controller = new AbortController();
  const stop = (): void => {
    target.stderr.write('\nStopping … (once more to quit at once)\n');
    controller.abort();
  };
  // SIGBREAK is Ctrl-Break on Windows; elsewhere it never comes.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const) {
    target.on(signal, () => {
      if (controller.signal.aborted) target.exit(exitCodes.interrupted);
      else stop();
    });
  }
  target.on('SIGHUP', () => {
    if (!controller.signal.aborted) stop();
  });
  return controller;
}
