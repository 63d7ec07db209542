import { InterruptedError, UsageError, UserError } from '../errors';
import type { RunEvent } from '../protocol/events';
import { printError, printLine, type Host } from './host';
import { LostOutput } from './pipe';
import { commandLine } from '../remedy/commandLine';
import { inWords } from '../remedy/remedy';

/** Exit codes of the contract. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** How a failure is told. */
export interface FailureStyle {
  /** Also as a `failed` event on standard output. */
  readonly json: boolean;
  /** With the stack and the causes. */
  readonly verbose: boolean;
}

/**
 * Tells a person what went wrong and what to do, in one message; gives the exit code that goes with it. A
 * run that was stopped because its output can go nowhere failed for that.
 */
export function reportFailure(
  host: Host,
  thrown: unknown,
  { json, verbose }: FailureStyle,
): number {
  const { reason } = host.signal as { readonly reason: unknown };
  const isLost = thrown instanceof InterruptedError && reason instanceof LostOutput;
  const error = isLost ? reason.with(thrown) : thrown;
  const { message, remedy } = explain(error);
  if (json) {
    const event: RunEvent = { type: 'failed', message, remedy, time: host.now() };
    printLine(host, JSON.stringify(event));
  }
  const label = error instanceof InterruptedError ? 'Interrupted' : 'Error';
  printError(host, `${label}: ${message}\n${remedy}`);
  if (verbose) printError(host, stackOf(error));
  if (error instanceof UsageError) return exitCodes.usage;
  return error instanceof InterruptedError ? exitCodes.interrupted : exitCodes.failed;
}

function explain(error: unknown): { message: string; remedy: string } {
  if (error instanceof UserError) {
    return { message: error.message, remedy: inWords(error.remedy, commandLine) };
  }
  return {
    message: `This is a defect of ligo: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'Please report it, with what --verbose shows.',
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
