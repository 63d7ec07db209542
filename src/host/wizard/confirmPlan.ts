import * as vscode from 'vscode';
import type { DataOutlook, EngineOutlook, Service, TrainingQuestion } from '../../protocol/service';
import { askCount, askSequenceLength } from './askNumber';
import type { PlanAnswer, PlanFindings, PlanSettings, PlanSizes, Problem } from './planPreview';
import { askKeep, askMore, usualOptions } from './moreOptions';
import { askMoreTraining } from './moreTraining';
import { back, cancelled, pickStep, type Choice, type NoAnswer, type StepFrame } from './steps';
import { askTraining, isTrainingAnswer } from './training';
import { explain } from '../text';
import { chooseOutput, type WizardParts } from './wizardSteps';

/** What the engine of a plan is asked for; the settings add which engine and how many threads. */
export type OutlookQuestion =
  | Omit<Parameters<Service['outlook']>[0], 'engine' | 'threads'>
  | { readonly training: TrainingQuestion };

/** How a plan is made and shown; made anew when its sizes change. */
export interface ProposedPlan<P> {
  /** What it is made with unless the person changes it. */
  readonly settings: PlanSettings;
  /** Tokens that the model has positions for; absent where it reads no text. */
  readonly longestSequence: number | undefined;
  readonly plan: (settings: PlanSettings) => Promise<P>;
  /** What to ask the engine of the plan; undefined when the plan is refused. */
  readonly question: (plan: P, settings: PlanSettings) => OutlookQuestion | undefined;
  /** Whether operators are learned. */
  readonly learns?: boolean;
  /** Whether heads of the model may share keys and values. */
  readonly sharesKeys?: boolean;
  /** The command that does the same; absent where none is offered. */
  readonly command?: (settings: PlanSettings) => string;
  /** What the data turn out to be; absent where there are none. */
  readonly look?: (sizes: PlanSizes, signal: AbortSignal) => Promise<DataOutlook>;
  /** The plan as the lines of a list, with what is found out while it is open. */
  readonly choices: (
    plan: P,
    settings: PlanSettings,
    findings: PlanFindings,
  ) => readonly Choice<PlanAnswer>[];
}

/** A plan under some settings, and what is being found out about it. */
interface Draft<P> {
  readonly settings: PlanSettings;
  /** Whether a person said how long sequences are. */
  readonly isChosen: boolean;
  readonly planned: Promise<P>;
  readonly looked: Promise<EngineOutlook | Problem | undefined>;
  readonly data: Promise<DataOutlook | undefined>;
  /** Once the data were looked at: this plan, or the one that suits them. */
  readonly suited: Promise<Draft<P>>;
}

/** Shows a plan until a person starts it or leaves; gives what it is to be made with. */
export async function confirmPlan<P>(
  parts: WizardParts,
  frame: StepFrame,
  proposed: ProposedPlan<P>,
): Promise<PlanSettings | NoAnswer> {
  const leaving = new AbortController();
  try {
    return await askUntilStarted(parts, frame, { ...proposed, signal: leaving.signal });
  } finally {
    leaving.abort();
  }
}

type OpenPlan<P> = ProposedPlan<P> & { readonly signal: AbortSignal };

async function askUntilStarted<P>(
  parts: WizardParts,
  frame: StepFrame,
  proposed: OpenPlan<P>,
): Promise<PlanSettings | NoAnswer> {
  const { longestSequence, learns = false, sharesKeys = false } = proposed;
  let draft = openDraft(parts, proposed, proposed.settings);
  for (;;) {
    let shown = draft;
    const answer = await pickStep(frame, {
      placeholder: vscode.l10n.t('Check the plan, then start'),
      ...linesOf(draft, proposed, seen => (shown = seen)),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer === 'setUpEngine') {
      await vscode.commands.executeCommand('ligo.setUpGpuEngine');
      return cancelled;
    }
    draft = shown;
    const { settings } = shown;
    if (answer === 'start') {
      // What the data change, or speak against, is shown before a start counts.
      const found = await waitFor(Promise.all([shown.suited, shown.data]));
      if (found?.[0] === shown && !found[1]?.refusal) return settings;
      draft = found?.[0] ?? shown;
      continue;
    }
    if (answer === 'copyCommand') {
      await vscode.env.clipboard.writeText(proposed.command?.(settings) ?? '');
      void vscode.window.showInformationMessage(vscode.l10n.t('The command was copied.'));
      continue;
    }
    if (answer === 'otherFolder') {
      const out = (await chooseOutput(settings.out)) ?? settings.out;
      draft = openDraft(parts, proposed, { ...settings, out }, shown);
      continue;
    }
    if (settings.training && (answer === 'more' || isTrainingAnswer(answer))) {
      const { training: before } = settings;
      const inner = { ...frame, step: Math.max(2, frame.step) };
      const training = await (answer === 'more'
        ? askMoreTraining(frame, before)
        : askTraining(inner, before, answer));
      if (training === cancelled) return cancelled;
      if (training === back) continue;
      const { isChosen, data, planned, looked } = shown;
      const isSame = answer !== 'more' && answer !== 'steps';
      draft = openDraft(
        parts,
        proposed,
        { ...settings, training },
        { isChosen, data, ...(isSame && { planned, looked }) },
      );
      continue;
    }
    if (answer === 'more' && settings.keep) {
      const keep = await askKeep(frame, settings.keep);
      if (keep === cancelled) return cancelled;
      const { isChosen, data, looked } = shown;
      const changed = keep === back ? settings : { ...settings, keep };
      draft = openDraft(parts, proposed, changed, { isChosen, data, looked });
      continue;
    }
    if (answer === 'more') {
      const more = await askMore(frame, settings.more ?? usualOptions, { learns, sharesKeys });
      if (more === cancelled) return cancelled;
      const { isChosen, data } = shown;
      draft = openDraft(parts, proposed, { ...settings, more }, { isChosen, data });
      continue;
    }
    // What a plan does not show cannot be chosen.
    if (isTrainingAnswer(answer)) continue;
    const { sizes } = settings;
    const size = await askSize(frame, answer, { before: sizes[answer] ?? 0, longestSequence });
    if (size === cancelled) return cancelled;
    if (size === back || size === sizes[answer]) continue;
    const changed = { ...settings, sizes: { ...sizes, [answer]: size } };
    const isChosen = shown.isChosen || answer === 'sequenceLength';
    // Longer sequences may tell what shorter ones did not.
    const isKnown = answer !== 'sequenceLength' || size <= (sizes.sequenceLength ?? 0);
    draft = openDraft(parts, proposed, changed, {
      isChosen,
      ...(isKnown && { data: shown.data }),
    });
  }
}

/** Makes a plan, of which some may be `known` already. */
function openDraft<P>(
  parts: WizardParts,
  proposed: OpenPlan<P>,
  settings: PlanSettings,
  known: Partial<Omit<Draft<P>, 'settings' | 'suited'>> = {},
): Draft<P> {
  const { sizes } = settings;
  const { isChosen = false } = known;
  const planned = known.planned ?? proposed.plan(settings);
  const looked =
    known.looked ?? planned.then(plan => lookAhead(parts, proposed.question(plan, settings)));
  const data = known.data ?? Promise.resolve(proposed.look?.(sizes, proposed.signal));
  const suited = data.then((found): Draft<P> => {
    const length = found?.suitableLength;
    if (isChosen || length === undefined || length >= (sizes.sequenceLength ?? 0)) return draft;
    const shorter = { ...settings, sizes: { ...sizes, sequenceLength: length } };
    return openDraft(parts, proposed, shorter, { isChosen, data });
  });
  const draft: Draft<P> = { settings, isChosen, planned, looked, data, suited };
  return draft;
}

/** The lines of a plan, and better ones as more is known; tells which plan they are of. */
function linesOf<P>(
  draft: Draft<P>,
  { choices, look }: ProposedPlan<P>,
  onShown: (draft: Draft<P>) => void,
) {
  let shown = draft;
  let findings: PlanFindings = {};
  const lines = async (found: PlanFindings) => {
    const plan = await shown.planned;
    findings = { ...findings, ...found };
    return choices(plan, shown.settings, findings);
  };
  const engineOf = async (of: Draft<P>) => {
    const outlook = await of.looked;
    // What an earlier plan's engine says comes too late.
    return lines(of === shown && outlook ? { outlook } : {});
  };
  const afterData = async () => {
    const [suited, data] = await Promise.all([draft.suited, draft.data]);
    await suited.planned;
    if (suited !== shown) findings = {};
    shown = suited;
    onShown(suited);
    return lines(data ? { data } : {});
  };
  const dataShown = look ? [afterData()] : [];
  const engineShown = dataShown.map(async first => {
    await first;
    return engineOf(shown);
  });
  return { choices: lines({}), later: [engineOf(draft), ...dataShown, ...engineShown] };
}

/** Waits for what the data turn out to be, with word of it; undefined when the person would not. */
function waitFor<T>(found: Promise<T>): Thenable<T | undefined> {
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Looking at the data'),
      cancellable: true,
    },
    (_, token) =>
      Promise.race([
        found,
        new Promise<undefined>(resolve => token.onCancellationRequested(() => resolve(undefined))),
      ]),
  );
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
    const where = { engine, ...(threads !== undefined && { threads }) };
    return await ('training' in question
      ? service.call('trainingOutlook', { ...question.training, ...where })
      : service.call('outlook', { ...question, ...where }));
  } catch (error) {
    return { problem: explain(error) };
  }
}
