import * as vscode from 'vscode';
import { inputStep, type NoAnswer, type StepFrame } from './steps';

/** Asks for a whole number from 1 to 9,999,999. */
export const askCount = (
  frame: StepFrame,
  prompt: string,
  before: number,
): Promise<number | NoAnswer> =>
  askWholeNumber(frame, prompt, { before, least: 1, most: 9_999_999 });

/** Asks how many tokens a sequence has: from 2, so that one predicts another, to all positions. */
export const askSequenceLength = (
  frame: StepFrame,
  before: number,
  longest: number,
): Promise<number | NoAnswer> =>
  askWholeNumber(
    frame,
    vscode.l10n.t('Tokens of a sequence; the model has positions for {0}', longest),
    { before, least: 2, most: longest },
  );

/** Asks for a whole number from `least` to `most`. */
export async function askWholeNumber(
  frame: StepFrame,
  prompt: string,
  range: { readonly before: number; readonly least: number; readonly most: number },
): Promise<number | NoAnswer> {
  const { before, least, most } = range;
  const typed = await inputStep(frame, {
    prompt,
    value: String(before),
    validate: text => {
      const number = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
      if (number >= least && number <= most) return undefined;
      const shown = most.toLocaleString(vscode.env.language);
      return vscode.l10n.t('Type a whole number from {0} to {1}.', least, shown);
    },
  });
  return typeof typed === 'string' ? Number(typed) : typed;
}
