import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UserError } from '../errors';
import type { LoggedEvent, RunEvent } from '../protocol/events';

/** A command to run in a process of its own. */
export interface ChildRun {
  /** The script that Node runs us by. */
  readonly script: string;
  /** With --json among them. */
  readonly args: readonly string[];
  readonly emit: (event: RunEvent) => void;
  /** Aborting it stops the process as Ctrl-C does. */
  readonly signal: AbortSignal;
}

/** Whether an event tells the parent of a run how it goes; the rest is the child's own. */
const isPassedOn = (
  event: LoggedEvent,
): event is Extract<RunEvent, { type: 'comparison' | 'comparisonStep' | 'warning' }> =>
  event.type === 'comparison' || event.type === 'comparisonStep' || event.type === 'warning';

/** Runs a command in a process of its own until it ends. Rejects with the UserError that it told. */
export async function childRun({ script, args, emit, signal }: ChildRun): Promise<void> {
  const { loggedEvent } = await import('../protocol/eventSchemas');
  signal.throwIfAborted();
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  let failure: UserError | undefined;
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const event = loggedEvent.parse(JSON.parse(line));
      if (event.type === 'failed') failure = new UserError(event.message, event.remedy);
      else if (isPassedOn(event)) emit(event);
    }
    const code = await ended;
    signal.throwIfAborted();
    if (failure) throw failure;
    if (code !== 0) {
      throw new UserError(
        `A process that made a run ended with code ${code}.`,
        'Run the same command with --resume, without --parallel to see why.',
      );
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
