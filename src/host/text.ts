import * as vscode from 'vscode';
import { UserError } from '../errors';
import { formatSeconds as inSeconds, type DurationWords } from '../format';
import { editor } from '../remedy/editor';
import { inWords } from '../remedy/remedy';

/** A number of things, in the person's language; both forms have it as {0}. */
export const plural = (count: number, one: string, several: string): string =>
  vscode.l10n.t(count === 1 ? one : several, count.toLocaleString(vscode.env.language));

export { formatBytes, formatCompact, formatFlops } from '../format';

const words: DurationWords = {
  seconds: seconds => vscode.l10n.t('{0} s', seconds),
  minutes: (minutes, seconds) => vscode.l10n.t('{0} min {1} s', minutes, seconds),
  hours: (hours, minutes) => vscode.l10n.t('{0} h {1} min', hours, minutes),
};

/** A duration in the person's language: 45 s, 3 min 5 s, 2 h 5 min. */
export const formatSeconds = (seconds: number): string => inSeconds(seconds, words);

/** An error as people read it: what is wrong and what to do. */
export function explain(error: unknown): { message: string; remedy: string } {
  if (error instanceof UserError)
    return { message: error.message, remedy: inWords(error.remedy, editor) };
  return {
    message: error instanceof Error ? error.message : String(error),
    remedy: vscode.l10n.t('Please report it.'),
  };
}
