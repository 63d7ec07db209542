import * as vscode from 'vscode';
import { plural } from '../text';
import { back, cancelled, pickStep, type Choice, type NoAnswer, type StepFrame } from './steps';

/** An option as a line of a list: what it is now, and what it does. */
export const optionLine = <O extends string>(
  value: O,
  label: string,
  now: string,
  detail: string,
): Choice<O> => ({ label: `$(edit) ${label}`, description: now, detail, value });

export const onOrOff = (on: boolean | undefined): string =>
  on ? vscode.l10n.t('on') : vscode.l10n.t('off');

/** The options of learning that trade time for memory, and how exactly it computes. */
interface MemoryOptions {
  readonly accumulate?: number;
  readonly recompute?: boolean;
  readonly precision?: 'mixed';
}

export const accumulateLine = ({ accumulate = 1 }: MemoryOptions) =>
  optionLine(
    'accumulate',
    vscode.l10n.t('Accumulate…'),
    plural(accumulate, '{0} batch makes one update', '{0} batches make one update'),
    vscode.l10n.t('Smaller batches with the updates of larger ones: less memory'),
  );

export const recomputeLine = ({ recompute }: MemoryOptions) =>
  optionLine(
    'recompute',
    vscode.l10n.t('Recompute Activations'),
    onOrOff(recompute),
    vscode.l10n.t('Computes them again in the backward pass: more time, less memory'),
  );

export const precisionLine = ({ precision }: MemoryOptions) =>
  optionLine(
    'precision',
    vscode.l10n.t('Mixed Precision'),
    onOrOff(precision === 'mixed'),
    vscode.l10n.t('Matrix products in float16, where a GPU computes'),
  );

/** The same options in the other precision. */
export function otherPrecision<T extends { readonly precision?: 'mixed' }>(options: T): T {
  const { precision, ...others } = options;
  return (precision ? others : { ...others, precision: 'mixed' }) as T;
}

/**
 * Lets a person change options one after another, until they go on or back.
 * @param inner the frame of a question, from which a step back leads to the list
 */
export async function changeOptions<T, O extends string>(
  frame: StepFrame,
  before: T,
  {
    choices,
    ask,
  }: {
    readonly choices: (options: T) => readonly Choice<O>[];
    readonly ask: (inner: StepFrame, options: T, option: O) => Promise<T | NoAnswer>;
  },
): Promise<T | typeof cancelled> {
  const inner = { ...frame, step: Math.max(2, frame.step) };
  let options = before;
  for (;;) {
    const answer = await pickStep<O | 'done'>(frame, {
      placeholder: vscode.l10n.t('Change what you like, then go back to the plan'),
      choices: [
        { label: `$(check) ${vscode.l10n.t('Back to the Plan')}`, value: 'done' },
        ...choices(options),
      ],
    });
    if (answer === cancelled) return cancelled;
    if (answer === back || answer === 'done') return options;
    const changed = await ask(inner, options, answer);
    if (changed === cancelled) return cancelled;
    if (changed !== back) options = changed;
  }
}
