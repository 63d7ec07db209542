import { basename } from 'node:path';
import * as vscode from 'vscode';
import {
  separatorWords,
  slurmForms,
  type Launcher,
  type MachineFacts,
  type SeparatorWord,
  type SlurmFacts,
} from '../../protocol/handoff';
import { plural } from '../text';
import { askCount, askSequenceLength, askWholeNumber } from './askNumber';
import { inputStep, pickStep, type Choice, type NoAnswer, type StepFrame } from './steps';
import { askTraining, isTrainingAnswer, trainingLines, type TrainingChoices } from './training';

/** What a project is to be written with, all of which may be changed. */
export interface HandoffSettings {
  readonly out: string;
  /** Absolute path. */
  readonly data: string;
  readonly to: Launcher;
  readonly training: Pick<
    TrainingChoices,
    'steps' | 'learningRate' | 'schedule' | 'seed' | 'suitable'
  >;
  readonly batchSize: number;
  /** Absent of images. */
  readonly sequenceLength?: number;
  /** Absent where it does not matter, or a receipt says it. */
  readonly separator?: SeparatorWord;
  readonly machines: MachineFacts;
  readonly slurm: SlurmFacts;
}

const slurmAnswers = ['partition', 'time', 'account'] as const;
type SlurmAnswer = (typeof slurmAnswers)[number];

/** A line of the plan that changes something. */
export type HandoffAnswer =
  | 'batchSize'
  | 'sequenceLength'
  | 'separator'
  | keyof MachineFacts
  | SlurmAnswer
  | 'steps'
  | 'learningRate'
  | 'schedule';

/** What a person may do with a plan. */
export type HandoffPlanAnswer = 'start' | 'otherFolder' | 'copyCommand' | HandoffAnswer;

const isSlurmAnswer = (answer: HandoffAnswer): answer is SlurmAnswer =>
  slurmAnswers.some(each => each === answer);

/** Bytes of the unit that the memory of GPUs is told in. */
const gigabyte = 1e9;

/** What each launcher is called, and what it is for. */
export function launcherWords(to: Launcher): {
  readonly label: string;
  readonly description: string;
} {
  switch (to) {
    case 'torchrun':
      return {
        label: 'torchrun',
        description: vscode.l10n.t('the GPUs of one machine, or of several that you start by hand'),
      };
    case 'accelerate':
      return {
        label: 'Accelerate',
        description: vscode.l10n.t('the same with the launcher of Hugging Face, and its settings'),
      };
    case 'slurm':
      return {
        label: 'Slurm',
        description: vscode.l10n.t('a job of a cluster, which goes on after its time limit'),
      };
    case 'skypilot':
      return {
        label: 'SkyPilot',
        description: vscode.l10n.t(
          'rented machines of a cloud, to which model and data are copied',
        ),
      };
    case 'kubernetes':
      return {
        label: 'Kubernetes',
        description: vscode.l10n.t('a TrainJob of Kubeflow Trainer, with a volume that you have'),
      };
  }
}

function separatorText(word: SeparatorWord): string {
  switch (word) {
    case 'newline':
      return vscode.l10n.t('joined by line feeds');
    case 'eos':
      return vscode.l10n.t('joined by the end-of-text token');
    case 'bos':
      return vscode.l10n.t('joined by the beginning-of-text token');
    case 'none':
      return vscode.l10n.t('joined by nothing');
  }
}

const changed = (
  value: HandoffAnswer,
  label: string,
  now: string,
  detail?: string,
): Choice<HandoffPlanAnswer> => ({
  label: `$(edit) ${label}`,
  description: now,
  value,
  alwaysShow: true,
  ...(detail !== undefined && { detail }),
});

const told = (label: string, description: string, detail?: string): Choice<HandoffPlanAnswer> => ({
  label,
  description,
  alwaysShow: true,
  ...(detail !== undefined && { detail }),
});

/** The plan as the lines of a list: what can be done first, then what it is made from. */
export function handoffLines(
  settings: HandoffSettings,
  from: string | undefined,
): Choice<HandoffPlanAnswer>[] {
  const { out, data, to, training, machines, slurm } = settings;
  return [
    {
      label: `$(play) ${vscode.l10n.t('Write Project')}`,
      description: basename(out),
      value: 'start',
      alwaysShow: true,
    },
    {
      label: `$(folder) ${vscode.l10n.t('Write to Another Folder…')}`,
      description: out,
      value: 'otherFolder',
      alwaysShow: true,
    },
    ...(trainingLines(training) as Choice<HandoffPlanAnswer>[]),
    ...sizeLines(settings),
    ...machineLines(machines),
    ...(to === 'slurm' ? slurmLines(slurm) : []),
    {
      label: `$(terminal) ${vscode.l10n.t('Copy as ligo Command')}`,
      description: vscode.l10n.t('the same project on the command line'),
      value: 'copyCommand',
      alwaysShow: true,
    },
    { label: vscode.l10n.t('plan'), kind: vscode.QuickPickItemKind.Separator },
    told(`$(rocket) ${launcherWords(to).label}`, launcherWords(to).description),
    told(`$(database) ${vscode.l10n.t('Data')}`, vscode.workspace.asRelativePath(data)),
    told(
      `$(output) ${vscode.l10n.t('Receipt')}`,
      from ?? vscode.l10n.t('none: all of this is what you say'),
      from === undefined ? undefined : vscode.l10n.t('says what is not changed here'),
    ),
    told(
      `$(info) ${vscode.l10n.t('Does not carry over')}`,
      vscode.l10n.t('warm-up begins at 0, dropout of config.json applies'),
      vscode.l10n.t('Nothing is started or sent. All that applies stands in README.md.'),
    ),
  ];
}

/** How data is cut, for a person to change. */
function sizeLines({
  batchSize,
  sequenceLength,
  separator,
}: HandoffSettings): Choice<HandoffPlanAnswer>[] {
  const each =
    sequenceLength === undefined
      ? plural(batchSize, '{0} image in a step', '{0} images in a step')
      : plural(batchSize, '{0} sequence in a step', '{0} sequences in a step');
  return [
    changed('batchSize', vscode.l10n.t('Batch…'), each),
    ...(sequenceLength === undefined
      ? []
      : [
          changed(
            'sequenceLength',
            vscode.l10n.t('Sequence Length…'),
            plural(sequenceLength, '{0} token', '{0} tokens'),
          ),
        ]),
    ...(separator === undefined
      ? []
      : [
          changed(
            'separator',
            vscode.l10n.t('Lines…'),
            separatorText(separator),
            vscode.l10n.t('No receipt says what stood between lines when it was trained.'),
          ),
        ]),
  ];
}

const machineLines = ({ gpus, nodes, gpuBytes }: MachineFacts): Choice<HandoffPlanAnswer>[] => [
  changed('gpus', vscode.l10n.t('GPUs…'), plural(gpus, '{0} in a machine', '{0} in a machine')),
  changed('nodes', vscode.l10n.t('Machines…'), plural(nodes, '{0} machine', '{0} machines')),
  changed(
    'gpuBytes',
    vscode.l10n.t('GPU Memory…'),
    vscode.l10n.t('{0} GB each', gpuBytes / gigabyte),
  ),
];

function slurmLines(slurm: SlurmFacts): Choice<HandoffPlanAnswer>[] {
  const usual = vscode.l10n.t('as Slurm has it');
  return [
    changed('partition', vscode.l10n.t('Partition…'), slurm.partition ?? usual),
    changed('time', vscode.l10n.t('Time Limit…'), slurm.time ?? usual),
    changed('account', vscode.l10n.t('Account…'), slurm.account ?? usual),
  ];
}

/** Asks for what a line of the plan tells. */
export async function askHandoff(
  frame: StepFrame,
  before: HandoffSettings,
  asked: { readonly answer: HandoffAnswer; readonly longestSequence: number | undefined },
): Promise<HandoffSettings | NoAnswer> {
  const { answer, longestSequence } = asked;
  const { machines, slurm, batchSize, sequenceLength = 2 } = before;
  if (isTrainingAnswer(answer)) {
    const training = await askTraining(frame, before.training, answer);
    return typeof training === 'symbol' ? training : { ...before, training };
  }
  if (isSlurmAnswer(answer)) {
    const text = await askSlurm(frame, slurm, answer);
    if (typeof text === 'symbol') return text;
    return { ...before, slurm: { ...slurm, [answer]: text === '' ? undefined : text } };
  }
  switch (answer) {
    case 'separator': {
      const separator = await askSeparator(frame, before.separator);
      return typeof separator === 'symbol' ? separator : { ...before, separator };
    }
    case 'batchSize': {
      const prompt = vscode.l10n.t('Batch: sequences or images in a step');
      const size = await askCount(frame, prompt, batchSize);
      return typeof size === 'symbol' ? size : { ...before, batchSize: size };
    }
    case 'sequenceLength': {
      const longest = longestSequence ?? sequenceLength;
      const length = await askSequenceLength(frame, sequenceLength, longest);
      return typeof length === 'symbol' ? length : { ...before, sequenceLength: length };
    }
    case 'gpus':
    case 'nodes':
    case 'gpuBytes': {
      const count = await askMachines(frame, machines, answer);
      return typeof count === 'symbol'
        ? count
        : { ...before, machines: { ...machines, [answer]: count } };
    }
  }
}

async function askMachines(
  frame: StepFrame,
  machines: MachineFacts,
  answer: keyof MachineFacts,
): Promise<number | NoAnswer> {
  const unit = answer === 'gpuBytes' ? gigabyte : 1;
  const prompts: Record<keyof MachineFacts, string> = {
    gpus: vscode.l10n.t('GPUs in a machine; all together they have to divide the batch'),
    nodes: vscode.l10n.t('Machines, each with as many GPUs'),
    gpuBytes: vscode.l10n.t('Memory of each GPU, in GB'),
  };
  const range = { before: machines[answer] / unit, least: 1, most: 99_999 };
  const asked = await askWholeNumber(frame, prompts[answer], range);
  return typeof asked === 'number' ? asked * unit : asked;
}

/** Empty where Slurm decides. */
function askSlurm(
  frame: StepFrame,
  slurm: SlurmFacts,
  answer: SlurmAnswer,
): Promise<string | NoAnswer> {
  const prompts: Record<SlurmAnswer, string> = {
    partition: vscode.l10n.t('Partition of the cluster; nothing for the usual one'),
    time: vscode.l10n.t('Time limit, such as 24:00:00 or 2-12; nothing for the usual one'),
    account: vscode.l10n.t('Account that the job is counted to; nothing for the usual one'),
  };
  return inputStep(frame, {
    prompt: prompts[answer],
    value: slurm[answer] ?? '',
    validate: text =>
      text === '' || slurmForms[answer].test(text)
        ? undefined
        : vscode.l10n.t('Slurm does not take this.'),
  });
}

const askSeparator = (
  frame: StepFrame,
  before: SeparatorWord | undefined,
): Promise<SeparatorWord | NoAnswer> =>
  pickStep<SeparatorWord>(frame, {
    placeholder: vscode.l10n.t('What stood between lines when the model was trained?'),
    choices: separatorWords.map(value => ({
      label: separatorText(value),
      value,
    })),
    active: value => value === before,
  });
