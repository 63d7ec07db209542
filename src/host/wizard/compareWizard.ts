import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { UserError } from '../../errors';
import type { ComparisonRequest } from '../../protocol/runFolder';
import type { CheckpointSummary, MethodOffer } from '../../protocol/service';
import { askCount, askWholeNumber } from './askNumber';
import { labelOf } from '../checkpoints/checkpointTree';
import { runCheckpointWizard } from './checkpointWizard';
import { confirmPlan } from './confirmPlan';
import { outputHome } from './outputHome';
import { freeOutput } from './outputName';
import { comparisonChoices, type PlanSettings } from './planPreview';
import type { Settings } from '../settings';
import { cancelled, pickManyStep, type NoAnswer, type StepFrame } from './steps';
import { targetName } from './targets';
import {
  askData,
  askTarget,
  isTaken,
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
  /** Absolute path. */
  readonly data?: string;
  /** Names; the yardstick first. */
  readonly methods?: readonly string[];
  readonly steps?: number;
  readonly batchSize?: number;
  readonly seeds?: number;
  /** As the plan was confirmed. */
  readonly settings?: PlanSettings;
}

const preset = { steps: 500, seeds: 1 } as const;
const totalSteps = 8;
const mostSeeds = 20;

/** Asks for everything a comparison needs, one thing at a time, and shows the plan before it starts. */
export async function askForComparison(
  parts: WizardParts,
  checkpointPath: string | undefined,
): Promise<ComparisonRequest | undefined> {
  const { recent } = parts;
  const finished = await runCheckpointWizard<Draft>(parts, checkpointPath, {
    title: vscode.l10n.t('Compare Growth Methods'),
    totalSteps,
    require: requireHead,
    start: {},
    steps: frame => [
      async draft => merge(draft, 'target', await askTarget(parts, draft.checkpoint!, frame(2))),
      async draft => {
        const options = { frame: frame(3), required: true };
        const data = await askData(recent, draft.checkpoint!, options);
        return data === null ? cancelled : merge(draft, 'data', data);
      },
      async draft => merge(draft, 'methods', await askMethods(parts, draft, frame(4))),
      async draft => {
        const prompt = vscode.l10n.t('Steps to train each grown model for');
        return merge(draft, 'steps', await askCount(frame(5), prompt, draft.steps ?? preset.steps));
      },
      async draft => {
        const images = draft.checkpoint!.model!.objective === 'image-classification';
        const prompt = images
          ? vscode.l10n.t('Batch: images in a step')
          : vscode.l10n.t('Batch: sequences in a step');
        const before = draft.batchSize ?? draft.checkpoint!.model!.usualBatch.size;
        return merge(draft, 'batchSize', await askCount(frame(6), prompt, before));
      },
      async draft => merge(draft, 'seeds', await askSeeds(frame(7), draft.seeds ?? preset.seeds)),
      async draft => askStart(parts, draft, frame(8)),
    ],
  });
  if (!finished) return undefined;
  const draft = finished as Required<Draft>;
  await recent.add(draft.data);
  return requestOf(draft, parts.settings);
}

/** Growths are compared by how they train on, which takes a head. */
function requireHead({ path, model }: CheckpointSummary): void {
  if (model?.head !== 'none') return;
  throw new UserError(
    vscode.l10n.t('{0} has no head, so there is no loss to compare methods by.', labelOf(path)),
    vscode.l10n.t('Save the checkpoint with its pretraining head.'),
  );
}

async function askMethods(
  { service }: WizardParts,
  { checkpoint, target, methods }: Draft,
  frame: StepFrame,
): Promise<readonly string[] | NoAnswer> {
  const offers = service.call('methods', { checkpoint: checkpoint!.path, target: target! });
  const isPicked = ({ name, isUsual, isYardstick }: MethodOffer): boolean =>
    isYardstick || (methods?.includes(name) ?? isUsual);
  const answer = await pickManyStep<string>(frame, {
    placeholder: vscode.l10n.t('Which methods should be compared?'),
    choices: offers.then(all =>
      possibleFirst(
        // The yardstick is made first, so it stands first.
        [...all]
          .sort((a, b) => Number(b.isYardstick) - Number(a.isYardstick))
          .map(offer => {
            const choice = methodChoice(offer);
            const picked = choice.value !== undefined && isPicked(offer);
            if (!offer.isYardstick) return { ...choice, picked };
            const detail = vscode.l10n.t('Always compared: savings are counted against it.');
            return { ...choice, picked, detail, required: true };
          }),
      ),
    ),
    problem: chosen =>
      chosen.length < 2 ? vscode.l10n.t('Choose at least one method besides it.') : undefined,
  });
  return answer;
}

const askSeeds = (frame: StepFrame, before: number): Promise<number | NoAnswer> =>
  askWholeNumber(
    frame,
    vscode.l10n.t('Seeds: how often each method is tried, on data in another order'),
    { before, least: 1, most: mostSeeds },
  );

/** Seeds 0, 1, … */
const seedsOf = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed);

async function askStart(
  parts: WizardParts,
  draft: Draft,
  frame: StepFrame,
): Promise<Draft | NoAnswer> {
  const { checkpoint, target, data, methods, steps, batchSize, seeds } = draft as Required<Draft>;
  const { model } = checkpoint;
  const { sequence } = model!.usualBatch;
  const place = { checkpoint: checkpoint.path, target, batchSize };
  const name = `compared-${targetName(target, model!)}`;
  const out = await freeOutput(checkpoint.path, name, isTaken, outputHome());
  const facts = { methods: methods.length, seeds, steps };
  const confirmed = await confirmPlan(parts, frame, {
    // The batch was asked for already.
    settings: {
      out,
      sizes: sequence ? { sequenceLength: sequence.length } : {},
      chosen: { data },
      keep: 'winner',
    },
    longestSequence: sequence?.longest,
    plan: ({ sizes, keep = 'winner' }) =>
      parts.service.call('comparisonPlan', {
        ...place,
        ...sizes,
        steps,
        methods,
        seeds: seedsOf(seeds),
        keep,
      }),
    question: ({ growth: { refusals, cost } }, { sizes }) =>
      refusals.length > 0
        ? undefined
        : { ...place, ...sizes, steps, methods, learns: cost !== undefined },
    look: ({ sequenceLength }, signal) =>
      lookAtData(parts, { checkpoint: checkpoint.path, data, sequenceLength }, signal),
    choices: (plan, settings, findings) =>
      comparisonChoices(plan, { ...facts, ...settings }, findings),
  });
  return merge(draft, 'settings', confirmed);
}

function requestOf(draft: Required<Draft>, { engine, threads }: Settings): ComparisonRequest {
  const { checkpoint, target, data, methods, steps, batchSize, seeds } = draft;
  const { out, sizes, keep } = draft.settings;
  return newComparison({
    checkpoint: checkpoint.path,
    target,
    methods,
    steps,
    out,
    engine,
    data: { path: data, batchSize, ...sizes },
    seeds: seedsOf(seeds),
    ...(keep && { keep }),
    title: vscode.l10n.t(
      'Compare {0} → {1} × {2}',
      labelOf(checkpoint.path),
      target.layers,
      target.hidden,
    ),
    ...(threads !== undefined && { threads }),
  });
}

/** A request with what no person is asked for. */
export const newComparison = (
  given: Pick<
    ComparisonRequest,
    'checkpoint' | 'target' | 'methods' | 'data' | 'out' | 'steps' | 'title'
  > &
    Partial<ComparisonRequest>,
): ComparisonRequest => ({
  version: 1,
  id: randomUUID(),
  created: Date.now(),
  kind: 'compare',
  engine: 'auto',
  seeds: [0],
  resume: false,
  overwrite: false,
  ...given,
});
