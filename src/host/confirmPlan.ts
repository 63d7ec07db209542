import * as vscode from 'vscode';
import type { EngineOutlook, Service } from '../protocol/service';
import type { PlanAnswer, Problem } from './planPreview';
import { back, cancelled, pickStep, type Choice, type NoAnswer, type StepFrame } from './steps';
import { explain } from './text';
import { chooseOutput, type WizardParts } from './wizardSteps';

/** What the engine of a plan is asked for; the settings add which engine and how many threads. */
export type OutlookQuestion = Omit<Parameters<Service['outlook']>[0], 'engine' | 'threads'>;

/** A plan that is being made, and how it is shown. */
export interface ProposedPlan<P> {
  /** Where it writes unless the person wants it elsewhere. */
  readonly out: string;
  readonly planned: Promise<P>;
  /** What to ask the engine of the plan; undefined when the plan is refused. */
  readonly question: (plan: P) => OutlookQuestion | undefined;
  /** The plan as the lines of a list; the engine is told of once it is known. */
  readonly choices: (
    plan: P,
    out: string,
    outlook?: EngineOutlook | Problem,
  ) => readonly Choice<PlanAnswer>[];
}

/** Shows a plan until a person starts it or leaves; gives the folder it is to write. */
export async function confirmPlan<P>(
  parts: WizardParts,
  frame: StepFrame,
  { planned, question, choices, ...proposed }: ProposedPlan<P>,
): Promise<string | NoAnswer> {
  const looked = planned.then(plan => lookAhead(parts, question(plan)));
  for (let { out } = proposed; ;) {
    const shown = out;
    const answer = await pickStep(frame, {
      placeholder: vscode.l10n.t('Check the plan, then start'),
      choices: planned.then(plan => choices(plan, shown)),
      later: Promise.all([planned, looked]).then(([plan, outlook]) =>
        choices(plan, shown, outlook),
      ),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer === 'start') return out;
    if (answer === 'setUpEngine') {
      await vscode.commands.executeCommand('ligo.setUpGpuEngine');
      return cancelled;
    }
    out = (await chooseOutput(out)) ?? out;
  }
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
