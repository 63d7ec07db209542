import type { ChosenEngine } from '../engine';
import type { Note } from '../errors';
import { harmless } from '../harmless';
import type { RunEvent, RunEventBody } from '../protocol/events';
import { harmlessRemedy, type Words } from '../remedy/remedy';
import { worded, type Unworded } from '../remedy/worded';

/** What a run tells: whoever listens has words for what can be done. */
export type ToldEvent = Unworded<RunEvent>;

/** What a run needs from whoever started it. */
export interface RunContext {
  readonly emit: (event: ToldEvent) => void;
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

/** Sends notes as warnings. */
export function warn(context: RunContext, notes: readonly Note[]): void {
  for (const { message, remedy } of notes) {
    report(context, {
      type: 'warning',
      message: harmless(message),
      remedy: harmlessRemedy(remedy),
    });
  }
}

/** The same context, and everything it is warned of from now on, for receipts and results. */
export function collectWarnings(context: RunContext): {
  readonly context: RunContext;
  readonly warnings: readonly Note[];
} {
  const warnings: Note[] = [];
  const emit = (event: ToldEvent): void => {
    if (event.type === 'warning') {
      warnings.push({ message: event.message, remedy: event.remedy });
    }
    context.emit(event);
  };
  return { context: { ...context, emit }, warnings };
}

/** Sends an event with its time. */
export function report(context: RunContext, body: Unworded<RunEventBody>): void {
  context.emit({ ...body, time: context.now() });
}

/** An event in the words of a face. */
export function eventInWords(event: ToldEvent, words: Words): RunEvent {
  switch (event.type) {
    case 'plan':
    case 'warning':
    case 'failed':
      return worded<RunEvent>(event, words);
    default:
      return event;
  }
}
