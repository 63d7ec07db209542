import * as vscode from 'vscode';
import { schedules } from '../../protocol/model';
import type { TrainingOptions } from '../../protocol/runFolder';
import type { TrainingRate } from '../../protocol/service';
import { plural } from '../text';
import { askCount, askWholeNumber } from './askNumber';
import { inputStep, pickStep, type Choice, type NoAnswer, type StepFrame } from './steps';

/** What a person may change in the plan of a training, besides how its data is cut. */
export interface TrainingChoices extends TrainingOptions {
  readonly steps: number;
  readonly seed: number;
  /** Steps between held-out evaluations, 0 for none on the way; a twentieth of all where absent. */
  readonly evaluateEvery?: number;
  readonly precision?: 'mixed';
  /** Rates where a person names none. */
  readonly suitable: TrainingRate;
}

/** The lines of the plan that a person changes. */
const answers = ['steps', 'learningRate', 'schedule', 'evaluateEvery'] as const;
export type TrainingAnswer = (typeof answers)[number];

/** Whether an answer is a line of a training. */
export const isTrainingAnswer = (answer: string): answer is TrainingAnswer =>
  answers.some(each => each === answer);

/** The rate of a training: a person's, or the one that suits the checkpoint, or random weights of its size. */
export const rateOf = ({ learningRate, suitable, fromScratch }: TrainingChoices): number =>
  learningRate ?? (fromScratch ? suitable.fromScratch : suitable.rate);

/** Where the rate comes from that nobody has changed. */
function reasonText({ learningRate, suitable, fromScratch }: TrainingChoices): string | undefined {
  if (learningRate !== undefined) return undefined;
  if (fromScratch) return vscode.l10n.t('at which models of its size are trained');
  switch (suitable.reason) {
    case 'constant':
      return vscode.l10n.t('at which it was trained');
    case 'trained':
      return vscode.l10n.t('a tenth of the one that it was trained at');
    case 'grown':
      return vscode.l10n.t('at which models of its size are trained: it was just grown');
    case 'size':
      return vscode.l10n.t('a tenth of the one at which models of its size are trained');
  }
}

/** A training's options as they are asked for, without what the wizard alone knows. */
export function askedFor({ suitable, ...training }: TrainingChoices) {
  return { ...training, learningRate: rateOf({ suitable, ...training }) };
}

/** Steps between held-out evaluations; 0 for none on the way. */
export const evaluateEvery = ({ steps, evaluateEvery: every }: TrainingChoices): number =>
  every ?? Math.max(1, Math.floor(steps / 20));

type Schedule = NonNullable<TrainingOptions['schedule']>;

function scheduleText(schedule: Schedule): string {
  switch (schedule) {
    case 'cosine':
      return vscode.l10n.t('cosine: down to 0 by half a cosine');
    case 'linear':
      return vscode.l10n.t('linear: down to 0 in a line');
    case 'constant':
      return vscode.l10n.t('constant: as it is after the warm-up');
  }
}

const changed = <T extends string>(value: T, label: string, now: string): Choice<T> => ({
  label: `$(edit) ${label}`,
  description: now,
  value,
  alwaysShow: true,
});

/** How long it is trained and how fast, for a person to change. */
export function trainingLines(training: TrainingChoices): Choice<TrainingAnswer>[] {
  const { steps, schedule = 'cosine' } = training;
  const reason = reasonText(training);
  const rate = String(rateOf(training));
  return [
    changed('steps', vscode.l10n.t('Steps…'), plural(steps, '{0} step', '{0} steps')),
    changed(
      'learningRate',
      vscode.l10n.t('Learning Rate…'),
      reason === undefined ? rate : `${rate}, ${reason}`,
    ),
    changed('schedule', vscode.l10n.t('Schedule…'), scheduleText(schedule)),
  ];
}

/** How often it is evaluated, for a person to change. */
export function evaluateLine(training: TrainingChoices): Choice<TrainingAnswer> {
  const every = evaluateEvery(training);
  const now =
    every === 0
      ? vscode.l10n.t('on held-out data before and after')
      : plural(every, 'on held-out data, every step', 'on held-out data, every {0} steps');
  return changed('evaluateEvery', vscode.l10n.t('Evaluate…'), now);
}

/** Asks for what a line of the plan tells. */
export async function askTraining(
  frame: StepFrame,
  before: TrainingChoices,
  answer: TrainingAnswer,
): Promise<TrainingChoices | NoAnswer> {
  const { steps } = before;
  switch (answer) {
    case 'steps': {
      const asked = await askCount(frame, vscode.l10n.t('Steps to train for'), steps);
      return typeof asked === 'number' ? { ...before, steps: asked } : asked;
    }
    case 'learningRate': {
      const asked = await askNumber(frame, {
        prompt: vscode.l10n.t('Peak learning rate'),
        before: rateOf(before),
        problem: value =>
          value > 0 && value <= 10
            ? undefined
            : vscode.l10n.t('Type a number above 0, at most 10.'),
      });
      return typeof asked === 'number' ? { ...before, learningRate: asked } : asked;
    }
    case 'schedule': {
      const asked = await pickStep<Schedule>(frame, {
        placeholder: vscode.l10n.t('How should the learning rate go down?'),
        choices: [...schedules].reverse().map(value => ({ label: scheduleText(value), value })),
        active: value => value === (before.schedule ?? 'cosine'),
      });
      return typeof asked === 'string' ? { ...before, schedule: asked } : asked;
    }
    case 'evaluateEvery': {
      const prompt = vscode.l10n.t(
        'Steps between evaluations on held-out data; 0 for before and after alone',
      );
      const range = { before: evaluateEvery(before), least: 0, most: 9_999_999 };
      const asked = await askWholeNumber(frame, prompt, range);
      return typeof asked === 'number' ? { ...before, evaluateEvery: asked } : asked;
    }
  }
}

/** Asks for a number that `problem` has no word against. */
export async function askNumber(
  frame: StepFrame,
  asked: {
    readonly prompt: string;
    readonly before: number;
    readonly problem: (value: number) => string | undefined;
  },
): Promise<number | NoAnswer> {
  const numberOf = (text: string): number => (text.trim() === '' ? NaN : Number(text));
  const typed = await inputStep(frame, {
    prompt: asked.prompt,
    value: String(asked.before),
    validate: text => asked.problem(numberOf(text)),
  });
  return typeof typed === 'string' ? numberOf(typed) : typed;
}
