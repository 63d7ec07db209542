import * as vscode from 'vscode';
import type { EngineOutlook, Service } from '../protocol/service';
import { askCount, askSequenceLength } from './askNumber';
import type { PlanAnswer, PlanSettings, PlanSizes, Problem } from './planPreview';
import { back, cancelled, pickStep, type Choice, type NoAnswer, type StepFrame } from './steps';
import { explain } from './text';
import { chooseOutput, type WizardParts } from './wizardSteps';

/** What the engine of a plan is asked for; the settings add which engine and how many threads. */
export type OutlookQuestion = Omit<Parameters<Service['outlook']>[0], 'engine' | 'threads'>;

/** How a plan is made and shown; made anew when its sizes change. */
export interface ProposedPlan<P> {
  /** What it is made with unless the person changes it. */
  readonly settings: PlanSettings;
  /** Tokens that the model has positions for; absent where it reads no text. */
  readonly longestSequence: number | undefined;
  readonly plan: (sizes: PlanSizes) => Promise<P>;
  /** What to ask the engine of the plan; undefined when the plan is refused. */
  readonly question: (plan: P, sizes: PlanSizes) => OutlookQuestion | undefined;
  /** The plan as the lines of a list; the engine is told of once it is known. */
  readonly choices: (
    plan: P,
    settings: PlanSettings,
    outlook?: EngineOutlook | Problem,
  ) => readonly Choice<PlanAnswer>[];
}

/** Shows a plan until a person starts it or leaves; gives what it is to be made with. */
export async function confirmPlan<P>(
  parts: WizardParts,
  frame: StepFrame,
  proposed: ProposedPlan<P>,
): Promise<PlanSettings | NoAnswer> {
  const { choices, longestSequence } = proposed;
  let { settings } = proposed;
  let made = makePlan(parts, proposed, settings.sizes);
  for (;;) {
    const shown = settings;
    const { planned, looked } = made;
    const answer = await pickStep(frame, {
      placeholder: vscode.l10n.t('Check the plan, then start'),
      choices: planned.then(plan => choices(plan, shown)),
      later: Promise.all([planned, looked]).then(([plan, outlook]) =>
        choices(plan, shown, outlook),
      ),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer === 'start') return settings;
    if (answer === 'setUpEngine') {
      await vscode.commands.executeCommand('ligo.setUpGpuEngine');
      return cancelled;
    }
    if (answer === 'otherFolder') {
      settings = { ...settings, out: (await chooseOutput(settings.out)) ?? settings.out };
      continue;
    }
    const { sizes } = settings;
    const size = await askSize(frame, answer, { before: sizes[answer] ?? 0, longestSequence });
    if (size === cancelled) return cancelled;
    if (size === back || size === sizes[answer]) continue;
    settings = { ...settings, sizes: { ...sizes, [answer]: size } };
    made = makePlan(parts, proposed, settings.sizes);
  }
}

/** A plan that is being made, and what its engine will be. */
function makePlan<P>(
  parts: WizardParts,
  { plan, question }: ProposedPlan<P>,
  sizes: PlanSizes,
): { readonly planned: Promise<P>; readonly looked: ReturnType<typeof lookAhead> } {
  const planned = plan(sizes);
  return { planned, looked: planned.then(made => lookAhead(parts, question(made, sizes))) };
}

function askSize(
  frame: StepFrame,
  size: keyof PlanSizes,
  asked: { readonly before: number; readonly longestSequence: number | undefined },
): Promise<number | NoAnswer> {
  const { before, longestSequence = before } = asked;
  if (size === 'sequenceLength') return askSequenceLength(frame, before, longestSequence);
  return askCount(frame, vscode.l10n.t('Batch: sequences or images in a step'), before);
}

/** What the engine would be, or why there is none: a plan without one is a plan all the same. */
async function lookAhead(
  { service, settings: { engine, threads } }: WizardParts,
  question: OutlookQuestion | undefined,
): Promise<EngineOutlook | Problem | undefined> {
  if (!question) return undefined;
  try {
    return await service.call('outlook', {
      ...{ ...question, engine },
      ...(threads !== undefined && { threads }),
    });
  } catch (error) {
    return { problem: explain(error) };
  }
}
