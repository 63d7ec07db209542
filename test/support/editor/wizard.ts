import type { Workbench } from './workbench';

/** What a person answers in the Grow Model dialog. */
export interface WizardAnswers {
  readonly target: string;
  readonly method: string;
  readonly data: string;
  readonly steps: number;
}

/** Short answers for the example BERT. */
export const shortGrowth: WizardAnswers = {
  target: 'Deeper and wider',
  method: 'LiGO',
  data: 'kjv.txt',
  steps: 40,
};

/** Answers every question after the checkpoint and stops at the plan. */
export async function answerUpToPlan(bench: Workbench, answers: WizardAnswers): Promise<void> {
  const { quickInput } = bench;
  await quickInput.step('2/6');
  await quickInput.choose(answers.target);
  await quickInput.step('3/6');
  await quickInput.choose(answers.data);
  await quickInput.step('4/6');
  await quickInput.choose(answers.method);
  await quickInput.step('5/6');
  await quickInput.answer(String(answers.steps));
  await quickInput.step('6/6');
  await quickInput.row('Start Growing').waitFor();
}

/** Answers every question after the checkpoint, and starts. */
export async function growFromHere(bench: Workbench, answers: WizardAnswers): Promise<void> {
  await answerUpToPlan(bench, answers);
  // A start before the data were looked at only shows what they change.
  await bench.quickInput.row('Suits the model').waitFor();
  await bench.quickInput.choose('Start Growing');
  await bench.quickInput.isHidden();
}
