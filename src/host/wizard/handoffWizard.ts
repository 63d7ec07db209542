import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import {
  launchers,
  type HandoffOutlook,
  type HandoffQuestion,
  type Launcher,
} from '../../protocol/handoff';
import type { CheckpointSummary } from '../../protocol/service';
import { exists } from '../runs/runFolder';
import { runCheckpointWizard } from './checkpointWizard';
import { handoffCommandLine } from './commandLine';
import { askHandoff, handoffLines, launcherWords, type HandoffSettings } from './handoffPlan';
import { freeOutput } from './outputName';
import { back, cancelled, pickStep, type NoAnswer, type StepFrame } from './steps';
import { rateOf } from './training';
import {
  askData,
  chooseOutput,
  isTaken,
  merge,
  requireModel,
  type WizardParts,
} from './wizardSteps';

/** What the wizard knows by now. */
interface Draft {
  readonly checkpoint?: CheckpointSummary;
  readonly outlook?: HandoffOutlook;
  readonly to?: Launcher;
  /** Absolute path. */
  readonly data?: string;
  readonly settings?: HandoffSettings;
}

const totalSteps = 4;
/** Where no receipt says how long. */
const presetSteps = 500;

/** Asks where a checkpoint is to be trained on in PyTorch and with what. */
export async function askForHandoff(
  parts: WizardParts,
  checkpointPath: string | undefined,
): Promise<HandoffQuestion | undefined> {
  const { service, recent } = parts;
  const finished = await runCheckpointWizard<Draft>(parts, checkpointPath, {
    title: vscode.l10n.t('Continue in PyTorch'),
    totalSteps,
    words: {
      question: vscode.l10n.t('Which checkpoint goes on in PyTorch?'),
      openLabel: vscode.l10n.t('Continue'),
    },
    start: {},
    steps: frame => [
      async draft => {
        requireModel(draft.checkpoint!);
        const outlook = await service.call('handoffOutlook', {
          checkpoint: draft.checkpoint!.path,
        });
        return merge({ ...draft, outlook }, 'to', await askLauncher(frame(2), draft.to));
      },
      async draft => {
        const { from, said } = draft.outlook!;
        const path = said.data;
        const isThere = path !== undefined && isAbsolute(path) && (await exists(path));
        const data = await askData(recent, draft.checkpoint!, {
          frame: frame(3),
          required: true,
          ...(isThere && { preset: { path, from: from! } }),
        });
        return data === null ? cancelled : merge(draft, 'data', data);
      },
      async draft => merge(draft, 'settings', await confirmHandoff(parts, draft, frame(4))),
    ],
  });
  if (!finished) return undefined;
  const draft = finished as Required<Draft>;
  await recent.add(draft.data);
  return questionOf(draft);
}

const askLauncher = (
  frame: StepFrame,
  before: Launcher | undefined,
): Promise<Launcher | NoAnswer> => {
  // What most machines have stands first.
  const order: readonly Launcher[] = ['torchrun', ...launchers.filter(each => each !== 'torchrun')];
  return pickStep<Launcher>(frame, {
    placeholder: vscode.l10n.t('Where does the training go on?'),
    choices: order.map(value => ({ ...launcherWords(value), value })),
    active: value => value === before,
  });
};

/** Shows what would be written until a person writes it or leaves. */
async function confirmHandoff(
  parts: WizardParts,
  draft: Draft,
  frame: StepFrame,
): Promise<HandoffSettings | NoAnswer> {
  const { checkpoint, outlook } = draft as Required<Draft>;
  const longestSequence = checkpoint.model!.usualBatch.sequence?.longest;
  let settings = await presetOf(parts, draft as Required<Draft>);
  for (;;) {
    const answer = await pickStep(frame, {
      placeholder: vscode.l10n.t('Check the plan, then write the project'),
      choices: handoffLines(settings, outlook.from),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer === 'start') return settings;
    if (answer === 'otherFolder') {
      settings = { ...settings, out: (await chooseOutput(settings.out)) ?? settings.out };
    } else if (answer === 'copyCommand') {
      const command = handoffCommandLine(questionOf({ checkpoint, outlook, settings }));
      await vscode.env.clipboard.writeText(command);
      void vscode.window.showInformationMessage(vscode.l10n.t('The command was copied.'));
    } else {
      const changed = await askHandoff(frame, settings, { answer, longestSequence });
      if (changed === cancelled) return cancelled;
      if (changed !== back) settings = changed;
    }
  }
}

/** What receipts say, and what suits the model where they say nothing. */
async function presetOf(
  { service }: WizardParts,
  { checkpoint, outlook, to, data }: Required<Draft>,
): Promise<HandoffSettings> {
  const { said, asksSeparator, usualSchedule } = outlook;
  const { usualBatch } = checkpoint.model!;
  const { size, sequence } = usualBatch;
  return {
    data,
    to,
    out: await freeOutput(checkpoint.path, 'pytorch', isTaken),
    training: {
      steps: said.steps ?? presetSteps,
      ...(said.learningRate !== undefined && { learningRate: said.learningRate }),
      suitable: await service.call('trainingRate', checkpoint.path),
      schedule: said.schedule ?? usualSchedule,
      seed: 0,
    },
    batchSize: said.batchSize ?? size,
    ...(sequence && { sequenceLength: said.sequenceLength ?? sequence.length }),
    ...(asksSeparator && { separator: 'newline' }),
    machines: { nodes: 1, gpus: 1, gpuBytes: 80e9 },
    slurm: {},
  };
}

/** What receipts say already is left to them. */
function questionOf({
  checkpoint,
  outlook,
  settings,
}: Pick<Required<Draft>, 'checkpoint' | 'outlook' | 'settings'>): HandoffQuestion {
  const { said, usualSchedule } = outlook;
  const { data, separator, batchSize, sequenceLength, training } = settings;
  const { steps, schedule } = training;
  const learningRate = rateOf(training);
  const isUsual = schedule === (said.schedule ?? usualSchedule);
  return {
    checkpoint: checkpoint.path,
    to: settings.to,
    out: settings.out,
    data: {
      path: data,
      ...(batchSize !== said.batchSize && { batchSize }),
      ...(sequenceLength !== undefined &&
        sequenceLength !== said.sequenceLength && { sequenceLength }),
      ...(separator !== undefined && { separator }),
    },
    ...(steps !== said.steps && { steps }),
    ...(learningRate !== said.learningRate && { learningRate }),
    ...(schedule !== undefined && !isUsual && { schedule }),
    machines: settings.machines,
    // A job's terms are of Slurm alone.
    slurm: settings.to === 'slurm' ? settings.slurm : {},
  };
}
