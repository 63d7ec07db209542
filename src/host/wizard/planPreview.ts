import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { GrowthPlan } from '../../protocol/events';
import type {
  ComparisonPlan,
  DataOutlook,
  EngineOutlook,
  TimeEstimate,
} from '../../protocol/service';
import type { Keep } from '../../protocol/comparison';
import { keepText, type MoreOptions } from './moreOptions';
import { evaluateLine, trainingLines, type TrainingAnswer, type TrainingChoices } from './training';
import type { Choice } from './steps';
import { formatBytes, formatCompact, formatFlops, formatSeconds, plural } from '../text';

/** What a person may do with a plan. */
export type PlanAnswer =
  | 'start'
  | 'otherFolder'
  | 'setUpEngine'
  | 'more'
  | 'copyCommand'
  | keyof PlanSizes
  | TrainingAnswer;

/** How data is cut, where a plan lets a person say so. */
export interface PlanSizes {
  /** Sequences in a step, or images. */
  readonly batchSize?: number;
  /** Tokens. */
  readonly sequenceLength?: number;
}

/** What a person may change in a plan. */
export interface PlanSettings {
  /** Folder that it writes. */
  readonly out: string;
  /** Those that are absent are not offered. */
  readonly sizes: PlanSizes;
  /** What else may be changed of a growth; nothing where absent. */
  readonly more?: MoreOptions;
  /** Of a training, all but how data is cut. */
  readonly training?: TrainingChoices;
  /** Of a comparison, whose trained models are kept. */
  readonly keep?: Keep;
  /** What was chosen before, for the plan to repeat. */
  readonly chosen?: {
    /** A method's title. */
    readonly method?: string;
    /** Absolute path. */
    readonly data?: string | undefined;
  };
}

/** Why no engine can be told of. */
export interface Problem {
  readonly problem: { readonly message: string; readonly remedy: string };
}

/** What is found out about a plan while it is open. */
export interface PlanFindings {
  readonly outlook?: EngineOutlook | Problem;
  readonly data?: DataOutlook;
}

/** What a growth takes of memory, by what is known of where it computes. */
function memoryText(
  { peakBytes, processBytes }: NonNullable<GrowthPlan['cost']>,
  engine: EngineOutlook | undefined,
): string {
  const step = formatBytes(peakBytes);
  return processBytes === undefined || (engine && engine.name !== 'cpu')
    ? vscode.l10n.t('about {0} in a step', step)
    : vscode.l10n.t('about {0}, of that {1} in a step', formatBytes(processBytes), step);
}

/** A plan as the lines of a list: what can be done first, then what it would be. */
export function planChoices(
  plan: GrowthPlan,
  settings: PlanSettings,
  findings: PlanFindings = {},
): Choice<PlanAnswer>[] {
  const { cost } = plan;
  const { outlook, data } = findings;
  const found = outlook && 'reason' in outlook ? outlook : undefined;
  const refused = refusalLines(plan, settings, findings);
  if (refused) return refused;
  return [
    ...startLines(
      settings.training ? vscode.l10n.t('Start Training') : vscode.l10n.t('Start Growing'),
      settings,
      data,
    ),
    ...chosenLines(settings),
    ...sizeLines(plan),
    ...(cost && plan.source.learns !== undefined
      ? [line(`$(target) ${vscode.l10n.t('Learned')}`, plan.source.learns)]
      : []),
    ...(cost ? [line(`$(server) ${vscode.l10n.t('Memory')}`, memoryText(cost, found))] : []),
    line(`$(save) ${vscode.l10n.t('Disk')}`, formatBytes(plan.diskBytes)),
    ...(cost
      ? [line(`$(clock) ${vscode.l10n.t('Time')}`, describeTime(cost.steps, found?.estimate))]
      : []),
    ...engineLines(outlook),
    ...dataLines(data),
    ...(plan.notes ?? []).map(({ message, remedy }) =>
      line(`$(warning) ${vscode.l10n.t('Note')}`, message, remedy),
    ),
    ...(plan.ignored.length > 0
      ? [
          line(
            `$(info) ${vscode.l10n.t('Left out')}`,
            plural(plan.ignored.length, '{0} tensor of the source', '{0} tensors of the source'),
            [
              ...plan.ignored.slice(0, 3).map(({ name, reason }) => `${name}: ${reason}`),
              ...(plan.ignored.length > 3
                ? [vscode.l10n.t('and {0} more', plan.ignored.length - 3)]
                : []),
            ].join(' '),
          ),
        ]
      : []),
  ];
}

/** What a comparison is made of, besides its plan. */
export interface ComparedFacts {
  readonly methods: number;
  readonly seeds: number;
  /** Of each training. */
  readonly steps: number;
}

/** The plan of a comparison as the lines of a list, as `planChoices` gives that of a growth. */
export function comparisonChoices(
  { growth, runs, flops, flopsPerStep, modelBytes }: ComparisonPlan,
  { methods, seeds, steps, ...settings }: ComparedFacts & PlanSettings,
  findings: PlanFindings = {},
): Choice<PlanAnswer>[] {
  const { outlook, data } = findings;
  const refused = refusalLines(growth, settings, findings);
  if (refused) return refused;
  const estimate = outlook && 'reason' in outlook ? outlook.estimate : undefined;
  // Each operation is taken to last as long as in the step of training that was timed.
  const seconds =
    estimate && flopsPerStep !== undefined && flops !== undefined
      ? (estimate.secondsPerStep / flopsPerStep) * flops
      : undefined;
  return [
    ...startLines(vscode.l10n.t('Start Comparing'), settings, data),
    ...chosenLines(settings),
    line(
      `$(list-ordered) ${vscode.l10n.t('Runs')}`,
      [
        plural(runs, '{0} run', '{0} runs'),
        plural(methods, '{0} method', '{0} methods'),
        plural(seeds, '{0} seed', '{0} seeds'),
        plural(steps, '{0} step each', '{0} steps each'),
      ].join(' · '),
    ),
    ...(flops === undefined
      ? []
      : [line(`$(dashboard) ${vscode.l10n.t('Computation')}`, formatFlops(flops))]),
    ...(seconds === undefined
      ? []
      : [
          line(
            `$(clock) ${vscode.l10n.t('Time')}`,
            vscode.l10n.t('about {0} without evaluations', formatSeconds(seconds)),
          ),
        ]),
    ...sizeLines(growth),
    line(`$(save) ${vscode.l10n.t('Disk')}`, describeDisk(modelBytes), keepText(settings.keep)),
    ...engineLines(outlook),
    ...dataLines(data),
    ...(growth.notes ?? []).map(({ message, remedy }) =>
      line(`$(warning) ${vscode.l10n.t('Note')}`, message, remedy),
    ),
  ];
}

function describeDisk({ most, end }: ComparisonPlan['modelBytes']): string {
  if (most === 0) return vscode.l10n.t('no models are kept');
  return most === end
    ? vscode.l10n.t('about {0} of models', formatBytes(end))
    : vscode.l10n.t('about {0} of models, {1} while it runs', formatBytes(end), formatBytes(most));
}

const line = (label: string, description: string, detail?: string): Choice<PlanAnswer> => ({
  label,
  description,
  ...(detail !== undefined && { detail }),
  alwaysShow: true,
});

/** What speaks against a plan; undefined when nothing does. */
function refusalLines(
  { refusals }: GrowthPlan,
  settings: PlanSettings,
  { outlook, data }: PlanFindings,
): Choice<PlanAnswer>[] | undefined {
  if (data?.refusal) {
    const { message, remedy } = data.refusal;
    return [line(`$(error) ${vscode.l10n.t('It cannot learn from these data')}`, message, remedy)];
  }
  if (refusals.length > 0) {
    return [
      ...refusals.map(({ reason, remedy }) =>
        line(
          `$(error) ${settings.training ? vscode.l10n.t('This cannot be trained') : vscode.l10n.t('This cannot be grown')}`,
          reason,
          remedy,
        ),
      ),
      ...moreChoices(settings),
    ];
  }
  const refusal = outlook && 'reason' in outlook ? outlook.refusal : undefined;
  if (!refusal) return undefined;
  const { reason, remedy } = refusal;
  return [
    line(`$(error) ${vscode.l10n.t('This does not fit')}`, reason, remedy),
    ...sizeChoices(settings.sizes),
    ...moreChoices(settings),
    ...engineLines(outlook),
  ];
}

/** What can be done with a plan, and the heading of what it would be. */
const startLines = (
  start: string,
  settings: PlanSettings,
  data: DataOutlook | undefined,
): Choice<PlanAnswer>[] => [
  {
    label: `$(play) ${start}`,
    description: basename(settings.out),
    value: 'start',
    alwaysShow: true,
  },
  {
    label: `$(folder) ${vscode.l10n.t('Write to Another Folder…')}`,
    description: settings.out,
    value: 'otherFolder',
    alwaysShow: true,
  },
  ...(settings.training ? trainingLines(settings.training) : []),
  ...sizeChoices(settings.sizes, data),
  ...(settings.training ? [evaluateLine(settings.training)] : []),
  ...moreChoices(settings),
  ...(settings.more || settings.training ? [copyChoice(settings)] : []),
  { label: vscode.l10n.t('plan'), kind: vscode.QuickPickItemKind.Separator },
];

/** The way to what a plan leaves to its method. */
const moreChoices = ({ more, keep, training }: PlanSettings): Choice<PlanAnswer>[] =>
  more || keep || training
    ? [
        {
          label: `$(settings) ${vscode.l10n.t('More…')}`,
          description: moreText(more, training),
          value: 'more',
          alwaysShow: true,
        },
      ]
    : [];

function moreText(more: unknown, training: unknown): string {
  if (training) return vscode.l10n.t('warm-up, weight decay, memory, parts of the network, seed');
  return more
    ? vscode.l10n.t('heads, feed-forward units, seed, learning rate, memory')
    : vscode.l10n.t('which trained models are kept');
}

const copyChoice = ({ training }: PlanSettings): Choice<PlanAnswer> => ({
  label: `$(terminal) ${vscode.l10n.t('Copy as ligo Command')}`,
  description: training
    ? vscode.l10n.t('the same training on the command line')
    : vscode.l10n.t('the same growth on the command line'),
  value: 'copyCommand',
  alwaysShow: true,
});

/** What was chosen in the steps before. */
const chosenLines = ({ chosen }: PlanSettings): Choice<PlanAnswer>[] => [
  ...(chosen?.method === undefined
    ? []
    : [line(`$(beaker) ${vscode.l10n.t('Method')}`, chosen.method)]),
  ...(chosen?.data === undefined
    ? []
    : [line(`$(database) ${vscode.l10n.t('Data')}`, vscode.workspace.asRelativePath(chosen.data))]),
];

/** How data is cut, for a person to change. */
function sizeChoices(
  { batchSize, sequenceLength }: PlanSizes,
  data?: DataOutlook,
): Choice<PlanAnswer>[] {
  const changed = (
    label: string,
    description: string,
    value: keyof PlanSizes,
    detail?: string,
  ): Choice<PlanAnswer>[] => [
    {
      label: `$(edit) ${label}`,
      description,
      value,
      alwaysShow: true,
      ...(detail !== undefined && { detail }),
    },
  ];
  const each =
    sequenceLength === undefined
      ? plural(batchSize ?? 0, '{0} image in a step', '{0} images in a step')
      : plural(batchSize ?? 0, '{0} sequence in a step', '{0} sequences in a step');
  return [
    ...(batchSize === undefined ? [] : changed(vscode.l10n.t('Batch…'), each, 'batchSize')),
    ...(sequenceLength === undefined
      ? []
      : changed(
          vscode.l10n.t('Sequence Length…'),
          plural(sequenceLength, '{0} token', '{0} tokens'),
          'sequenceLength',
          describeLength(sequenceLength, data),
        )),
  ];
}

/** What the data tell of a length of sequences. */
function describeLength(length: number, data: DataOutlook | undefined): string | undefined {
  const suitable = data?.suitableLength;
  if (suitable === undefined) return undefined;
  return length > suitable
    ? vscode.l10n.t(
        'On these data it predicts worse from position {0} on: shorter sequences suit it.',
        suitable,
      )
    : vscode.l10n.t(
        'Suits the model: on these data it predicts worse from position {0} on.',
        suitable,
      );
}

/** What there is to know of the data. */
const dataLines = (data: DataOutlook | undefined): Choice<PlanAnswer>[] =>
  (data?.notes ?? []).map(({ message, remedy }) =>
    line(`$(warning) ${vscode.l10n.t('Data')}`, message, remedy),
  );

/** How large the model is and becomes. */
function sizeLines({ source, target }: GrowthPlan): Choice<PlanAnswer>[] {
  const change = (from: string, to: string): string => (from === to ? to : `${from} → ${to}`);
  return [
    line(
      `$(symbol-numeric) ${vscode.l10n.t('Parameters')}`,
      change(formatCompact(source.parameters), formatCompact(target.parameters)),
    ),
    line(
      `$(layers) ${vscode.l10n.t('Layers × hidden units')}`,
      change(`${source.layers} × ${source.hidden}`, `${target.layers} × ${target.hidden}`),
    ),
  ];
}

/** What computes and why; a way to something faster where that is the CPU. */
function engineLines(outlook: EngineOutlook | Problem | undefined): Choice<PlanAnswer>[] {
  if (!outlook) return [];
  const engine = (description: string, detail?: string): Choice<PlanAnswer> => ({
    label: `$(chip) ${vscode.l10n.t('Engine')}`,
    description,
    ...(detail !== undefined && { detail }),
    alwaysShow: true,
  });
  const setUp: Choice<PlanAnswer> = {
    label: `$(tools) ${vscode.l10n.t('Set Up GPU Engine…')}`,
    description: vscode.l10n.t('what this machine could compute with'),
    value: 'setUpEngine',
    alwaysShow: true,
  };
  if ('problem' in outlook) {
    return [engine(outlook.problem.message, outlook.problem.remedy), setUp];
  }
  return outlook.name === 'cpu' ? [engine(outlook.reason), setUp] : [engine(outlook.reason)];
}

function describeTime(count: number, estimate: TimeEstimate | undefined): string {
  const work = plural(count, '{0} step', '{0} steps');
  if (!estimate) return work;
  const time = formatSeconds(estimate.secondsPerStep * count);
  const steps =
    estimate.from === 'step'
      ? vscode.l10n.t('about {0} for {1}', time, work)
      : vscode.l10n.t('more than {0} for {1}', time, work);
  const { secondsPerScoring } = estimate;
  return secondsPerScoring === undefined
    ? steps
    : vscode.l10n.t('{0}, {1} for each held-out batch', steps, formatSeconds(secondsPerScoring));
}
