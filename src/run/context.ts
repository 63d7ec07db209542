import type { ChosenEngine } from '../engine';
import type { RunEvent, RunEventBody } from '../protocol/events';

/** What a run needs from whoever started it. */
export interface RunContext {
  readonly emit: (event: RunEvent) => void;
  /** Aborting it stops the run between steps, with its state saved. */
  readonly signal: AbortSignal;
  /** Starts the engine that was asked for. */
  readonly engine: () => Promise<ChosenEngine>;
  /**
   * Asked between steps: waits while the run is paused, and answers 'finish' to end learning early
   * and keep what was learned.
   */
  readonly betweenSteps?: () => Promise<'finish' | void>;
  /** Milliseconds since the epoch; injected so that tests can hold time still. */
  readonly now: () => number;
}

/** Sends an event with its time. */
export function report(context: RunContext, body: RunEventBody): void {
  context.emit({ ...body, time: context.now() });
}
