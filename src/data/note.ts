import type { Note } from '../errors';

/** Most names that a note or an error lists. */
const namedAtMost = 5;

/** Names for a sentence: the first few, and how many more there are. */
export function listed(names: readonly string[], most = namedAtMost): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** The notes on data to learn from and on those to evaluate on, each said once. */
export function notesOnBoth(training: readonly Note[], evaluation: readonly Note[]): Note[] {
  const known = new Set(training.map(({ message }) => message));
  const others = evaluation.filter(({ message }) => !known.has(message));
  return [
    ...training,
    ...others.map(({ message, remedy }) => ({ message: `Evaluation data: ${message}`, remedy })),
  ];
}
