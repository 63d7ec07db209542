import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { TrainingRequest } from '../../protocol/runFolder';
import type { CheckpointSummary, TrainingQuestion } from '../../protocol/service';
import { labelOf } from '../checkpoints/checkpointTree';
import type { Settings } from '../settings';
import { runCheckpointWizard } from './checkpointWizard';
import { trainCommandLine } from './commandLine';
import { confirmPlan } from './confirmPlan';
import { freeOutput } from './outputName';
import { planChoices, type PlanSettings, type PlanSizes } from './planPreview';
import { cancelled, type NoAnswer, type StepFrame } from './steps';
import { askedFor, evaluateEvery } from './training';
import { askData, isTaken, lookAtData, merge, requireModel, type WizardParts } from './wizardSteps';

/** What the wizard knows by now. */
interface Draft {
  readonly checkpoint?: CheckpointSummary;
  /** Absolute path. */
  readonly data?: string;
  /** As the plan was confirmed. */
  readonly settings?: PlanSettings;
}

const presetSteps = 500;
const totalSteps = 3;

/** Asks for what a training needs, and shows the plan with all that can be changed before it starts. */
export async function askForTraining(
  parts: WizardParts,
  checkpointPath: string | undefined,
): Promise<TrainingRequest | undefined> {
  const { recent } = parts;
  const finished = await runCheckpointWizard<Draft>(parts, checkpointPath, {
    title: vscode.l10n.t('Train'),
    totalSteps,
    words: {
      question: vscode.l10n.t('Which checkpoint should be trained?'),
      openLabel: vscode.l10n.t('Train'),
    },
    start: {},
    steps: frame => [
      async draft => {
        requireModel(draft.checkpoint!);
        const options = { frame: frame(2), required: true };
        const data = await askData(recent, draft.checkpoint!, options);
        return data === null ? cancelled : merge(draft, 'data', data);
      },
      async draft => askStart(parts, draft, frame(3)),
    ],
  });
  if (!finished) return undefined;
  const draft = finished as Required<Draft>;
  await recent.add(draft.data);
  return requestOf(draft, parts.settings);
}

async function askStart(
  parts: WizardParts,
  draft: Draft,
  frame: StepFrame,
): Promise<Draft | NoAnswer> {
  const { checkpoint, data } = draft as Required<Draft>;
  const { usualBatch } = checkpoint.model!;
  const suitable = await parts.service.call('trainingRate', checkpoint.path);
  const { size: batchSize, sequence } = usualBatch;
  const out = await freeOutput(checkpoint.path, 'trained', isTaken);
  const confirmed = await confirmPlan(parts, frame, {
    settings: {
      out,
      sizes: { batchSize, ...(sequence && { sequenceLength: sequence.length }) },
      training: { steps: presetSteps, seed: 0, suitable },
      chosen: { data },
    },
    longestSequence: sequence?.longest,
    command: settings =>
      trainCommandLine(requestOf({ checkpoint, data, settings }, parts.settings)),
    plan: settings => parts.service.call('trainingPlan', questionOf(checkpoint.path, settings)),
    question: ({ refusals }, settings) =>
      refusals.length > 0 ? undefined : { training: questionOf(checkpoint.path, settings) },
    look: ({ sequenceLength }: PlanSizes, signal: AbortSignal) =>
      lookAtData(parts, { checkpoint: checkpoint.path, data, sequenceLength }, signal),
    choices: planChoices,
  });
  return merge(draft, 'settings', confirmed);
}

/** What a plan is asked for under the settings a person made. */
function questionOf(checkpoint: string, { sizes, training }: PlanSettings): TrainingQuestion {
  return { checkpoint, ...sizes, ...askedFor(training!) };
}

function requestOf(
  { checkpoint, data, settings }: Required<Draft>,
  { engine, threads }: Settings,
): TrainingRequest {
  const { out, sizes, training } = settings;
  return newTraining({
    ...askedFor(training!),
    evaluateEvery: evaluateEvery(training!),
    checkpoint: checkpoint.path,
    out,
    engine,
    data: { path: data, ...sizes },
    title: vscode.l10n.t('Train {0}', labelOf(checkpoint.path)),
    ...(threads !== undefined && { threads }),
  });
}

/** A request with what no person is asked for. */
export const newTraining = (
  given: Pick<TrainingRequest, 'checkpoint' | 'data' | 'out' | 'steps' | 'title'> &
    Partial<TrainingRequest>,
): TrainingRequest => ({
  version: 1,
  id: randomUUID(),
  created: Date.now(),
  kind: 'train',
  engine: 'auto',
  seed: 0,
  resume: false,
  overwrite: false,
  ...given,
});
