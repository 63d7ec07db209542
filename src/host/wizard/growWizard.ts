import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { givenSizes } from '../../protocol/model';
import type { GrowthRequest } from '../../protocol/runFolder';
import type {
  CheckpointSummary,
  MethodOffer,
  PlanQuestion,
  UsualBatch,
} from '../../protocol/service';
import { askCount } from './askNumber';
import { labelOf } from '../checkpoints/checkpointTree';
import { runCheckpointWizard } from './checkpointWizard';
import { growCommandLine } from './commandLine';
import { confirmPlan } from './confirmPlan';
import { usualOptions } from './moreOptions';
import { outputHome } from './outputHome';
import { freeOutput } from './outputName';
import { planChoices, type PlanSettings, type PlanSizes } from './planPreview';
import { exists } from '../runs/runFolder';
import type { Settings } from '../settings';
import { pickStep, type NoAnswer, type StepFrame } from './steps';
import { targetName } from './targets';
import {
  askData,
  askTarget,
  lookAtData,
  merge,
  methodChoice,
  possibleFirst,
  type WizardParts,
} from './wizardSteps';

/** What the wizard knows by now. */
interface Draft {
  readonly checkpoint?: CheckpointSummary;
  readonly target?: { readonly layers: number; readonly hidden: number };
  readonly method?: MethodOffer;
  /** Absolute path; null for none. */
  readonly data?: string | null;
  readonly steps?: number;
  /** As the plan was confirmed. */
  readonly settings?: PlanSettings;
}

const presetSteps = 100;
const totalSteps = 6;

/** Asks for everything a growth needs, one thing at a time, and shows the plan before it starts. */
export async function askForGrowth(
  parts: WizardParts,
  checkpointPath: string | undefined,
): Promise<GrowthRequest | undefined> {
  const { recent } = parts;
  const finished = await runCheckpointWizard<Draft>(parts, checkpointPath, {
    title: vscode.l10n.t('Grow Model'),
    totalSteps,
    start: {},
    steps: frame => [
      async draft => merge(draft, 'target', await askTarget(parts, draft.checkpoint!, frame(2))),
      async draft => {
        const options = { frame: frame(3), required: false };
        return merge(draft, 'data', await askData(recent, draft.checkpoint!, options));
      },
      async draft => merge(draft, 'method', await askMethod(parts, draft, frame(4))),
      async draft => {
        if (!draft.method!.needsData) return 'skip';
        const prompt = vscode.l10n.t('Steps to learn the operators for');
        return merge(draft, 'steps', await askCount(frame(5), prompt, draft.steps ?? presetSteps));
      },
      async draft => askStart(parts, draft, frame(6)),
    ],
  });
  if (!finished) return undefined;
  if (finished.data) await recent.add(finished.data);
  return requestOf(finished as Required<Draft>, parts.settings);
}

async function askMethod(
  { service }: WizardParts,
  { checkpoint, target, data }: Draft,
  frame: StepFrame,
): Promise<MethodOffer | NoAnswer> {
  const offers = service.call('methods', { checkpoint: checkpoint!.path, target: target! });
  const hasHead = checkpoint!.model?.head !== 'none';
  const refusedLearning = !hasHead
    ? vscode.l10n.t('Not possible: this checkpoint has no head to learn by.')
    : data === null
      ? vscode.l10n.t('Not possible without data.')
      : undefined;
  return pickStep<MethodOffer>(frame, {
    placeholder: vscode.l10n.t('How should it grow?'),
    choices: offers.then(all =>
      possibleFirst(
        all.map(offer => {
          const { value, ...line } = methodChoice(
            offer,
            offer.needsData ? refusedLearning : undefined,
          );
          return value === undefined ? line : { ...line, value: offer };
        }),
      ),
    ),
  });
}

/** What was answered before the plan is shown; steps are asked for where something is learned. */
type Asked = Required<Omit<Draft, 'steps'>> & Pick<Draft, 'steps'>;

async function askStart(
  parts: WizardParts,
  draft: Draft,
  frame: StepFrame,
): Promise<Draft | NoAnswer> {
  const { checkpoint, target, method, data, steps = presetSteps } = draft as Asked;
  const { model } = checkpoint;
  const { usualBatch } = model!;
  const question: PlanQuestion = {
    checkpoint: checkpoint.path,
    target,
    steps,
    method: method.name,
  };
  const name = `grown-${targetName(target, model!)}`;
  const out = await freeOutput(checkpoint.path, name, exists, outputHome());
  const confirmed = await confirmPlan(parts, frame, {
    settings: {
      out,
      sizes: data === null ? {} : usualSizes(usualBatch),
      more: usualOptions,
      chosen: { method: method.title, ...(data !== null && { data }) },
    },
    longestSequence: usualBatch.sequence?.longest,
    learns: method.needsData,
    sharesKeys: checkpoint.model!.kvHeads !== undefined,
    command: settings =>
      growCommandLine(
        requestOf({ ...(draft as Required<Draft>), steps, settings }, parts.settings),
      ),
    plan: settings =>
      parts.service
        .call('plan', questionOf(question, settings))
        // Only learning costs steps.
        .then(({ cost, ...plan }) => ({ ...plan, ...(method.needsData && cost && { cost }) })),
    question: ({ refusals, cost }, settings) =>
      refusals.length > 0
        ? undefined
        : { ...questionOf(question, settings), learns: cost !== undefined },
    ...(data !== null && {
      look: ({ sequenceLength }: PlanSizes, signal: AbortSignal) =>
        lookAtData(parts, { checkpoint: checkpoint.path, data, sequenceLength }, signal),
    }),
    choices: planChoices,
  });
  return merge({ ...draft, steps }, 'settings', confirmed);
}

/** What a plan is asked for under the settings a person made. */
function questionOf(question: PlanQuestion, { sizes, more }: PlanSettings): PlanQuestion {
  const { learningRate, accumulate, recompute, shareFfn, gguf } = more ?? {};
  const learning = { learningRate, accumulate, recompute, shareFfn, gguf };
  return {
    ...question,
    ...sizes,
    ...given(learning),
    target: { ...question.target, ...givenSizes(more ?? {}) },
  };
}

/** The same without what is undefined, as messages between processes are. */
const given = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };

/** How data is cut unless a person says otherwise. */
const usualSizes = ({ size, sequence }: UsualBatch): PlanSizes => ({
  batchSize: size,
  ...(sequence && { sequenceLength: sequence.length }),
});

function requestOf(draft: Required<Draft>, { engine, threads }: Settings): GrowthRequest {
  const { checkpoint, target, method, data, steps } = draft;
  const { out, sizes, more = usualOptions } = draft.settings;
  const { heads, kvHeads, ffn, ...options } = more;
  return newRequest({
    checkpoint: checkpoint.path,
    target: { ...target, ...givenSizes({ heads, kvHeads, ffn }) },
    ...options,
    method: method.name,
    out,
    steps,
    engine,
    title: `${labelOf(checkpoint.path)} → ${target.layers} × ${target.hidden}`,
    ...(data !== null && { data: { path: data, ...sizes } }),
    ...(threads !== undefined && { threads }),
  });
}

/** A request with what no person is asked for. */
export const newRequest = (
  given: Pick<GrowthRequest, 'checkpoint' | 'target' | 'method' | 'out' | 'steps' | 'title'> &
    Partial<GrowthRequest>,
): GrowthRequest => ({
  version: 1,
  id: randomUUID(),
  created: Date.now(),
  kind: 'grow',
  engine: 'auto',
  ...usualOptions,
  resume: false,
  overwrite: false,
  ...given,
});
