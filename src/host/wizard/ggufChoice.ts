import * as vscode from 'vscode';
import { ggufTypes, type GgufType } from '../../protocol/conversion';
import { pickStep, type NoAnswer, type StepFrame } from './steps';

/** What a GGUF file is in a list of options. */
export const ggufLine = (gguf: GgufType | undefined) => ({
  label: vscode.l10n.t('GGUF File…'),
  now: gguf ?? vscode.l10n.t('none'),
  detail: vscode.l10n.t('The model once more for llama.cpp, beside its safetensors'),
});

/** Asks how a GGUF file stores matrices, or for none. */
async function askType(
  frame: StepFrame,
  before: GgufType | undefined,
): Promise<GgufType | 'none' | NoAnswer> {
  return pickStep<GgufType | 'none'>(frame, {
    placeholder: vscode.l10n.t('Write the model as a GGUF file, too?'),
    choices: [
      { label: vscode.l10n.t('None'), value: 'none' },
      ...ggufTypes.map(value => ({ label: value, value })),
    ],
    active: value => value === (before ?? 'none'),
  });
}

/** The same options with another GGUF file, or without one. */
export async function askGguf<T extends { gguf?: GgufType }>(
  frame: StepFrame,
  options: T,
): Promise<T | NoAnswer> {
  const answer = await askType(frame, options.gguf);
  if (typeof answer === 'symbol') return answer;
  if (answer !== 'none') return { ...options, gguf: answer };
  const others = { ...options };
  delete others.gguf;
  return others;
}
