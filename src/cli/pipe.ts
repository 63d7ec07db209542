import type { EventEmitter } from 'node:events';
import { exitCodes } from './failure';

/** The part of a process that its output goes through. */
export interface Outlets {
  readonly stdout: EventEmitter;
  readonly stderr: EventEmitter & { write(text: string): unknown };
  exitCode?: number | string | null | undefined;
}

/**
 * Stops the run, as by Ctrl-C, when its output can go nowhere. A reader that has seen enough
 * (`| head`) is no failure; any other, such as a full disk, is told once and makes the exit code 1,
 * which whoever sets it later must leave.
 */
export function stopWithoutOutput(target: Outlets, interruption: AbortController): void {
  target.stdout.on('error', (error: NodeJS.ErrnoException) => {
    interruption.abort();
    if (error.code === 'EPIPE' || target.exitCode === exitCodes.failed) return;
    target.exitCode = exitCodes.failed;
    const why = error.code === 'ENOSPC' ? 'the disk is full' : error.message;
    target.stderr.write(
      `Error: Standard output cannot be written: ${why}.\nSend it elsewhere and run the command again.\n`,
    );
  });
  // Nothing is left to tell it to; the run itself goes on.
  target.stderr.on('error', () => undefined);
}
