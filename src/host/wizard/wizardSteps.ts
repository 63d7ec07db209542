import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../errors';
import type { CheckpointSummary, DataOutlook, MethodOffer } from '../../protocol/service';
import { labelOf, type CheckpointNode } from '../checkpoints/checkpointTree';
import type { Checkpoints } from '../checkpoints/checkpoints';
import { weightEnds } from '../checkpoints/weightsFile';
import {
  chooseData,
  dataChoices,
  dataKind,
  type DataChoice,
  type DataKind,
  type RecentData,
} from './dataChoices';
import { exists } from '../runs/runFolder';
import type { ServiceClient } from '../serviceClient';
import type { Settings } from '../settings';
import {
  back,
  cancelled,
  inputStep,
  pickStep,
  type Choice,
  type NoAnswer,
  type StepFrame,
} from './steps';
import { parseTarget, targetPresets, targetProblem, type TargetPreset } from './targets';
import { explain, formatCompact, plural } from '../text';

/** What the wizards need from the rest of the host. */
export interface WizardParts {
  readonly service: ServiceClient;
  readonly checkpoints: Checkpoints;
  readonly settings: Settings;
  readonly recent: RecentData;
}

/** Adds an answer to what a wizard knows, or passes on that there was none. */
export const merge = <D extends object, K extends keyof D>(
  draft: D,
  key: K,
  value: Exclude<D[K], undefined> | NoAnswer,
): D | NoAnswer =>
  typeof value === 'symbol' ? (value as NoAnswer) : { ...draft, [key]: value as D[K] };

/** Asks for a checkpoint of a model. */
export async function askCheckpoint(
  { checkpoints, service }: WizardParts,
  frame: StepFrame,
  words = {
    question: vscode.l10n.t('Which checkpoint should grow?'),
    openLabel: vscode.l10n.t('Grow'),
  },
): Promise<CheckpointSummary | NoAnswer> {
  const choiceOf = (node: CheckpointNode): Choice<CheckpointSummary | 'other'> => ({
    label: `$(layers) ${node.label}`,
    description: `${node.summary!.model!.family} · ${sizes(node.summary!)}`,
    detail: vscode.workspace.asRelativePath(node.path),
    value: node.summary!,
  });
  const choices = (): Choice<CheckpointSummary | 'other'>[] => [
    ...checkpoints.models.map(choiceOf),
    { label: `$(folder-opened) ${vscode.l10n.t('Choose a checkpoint…')}`, value: 'other' },
  ];
  for (;;) {
    const answer = await pickStep<CheckpointSummary | 'other'>(frame, {
      placeholder: words.question,
      choices: choices(),
      later: checkpoints.models.length > 0 ? [] : [checkpoints.refresh().then(choices)],
    });
    if (answer !== 'other') return answer;
    const [uri] =
      (await vscode.window.showOpenDialog({
        canSelectFiles: true,
        canSelectFolders: true,
        openLabel: words.openLabel,
        filters: { [vscode.l10n.t('Checkpoints')]: [...weightEnds] },
      })) ?? [];
    if (uri) return service.call('summarize', uri.fsPath);
  }
}

const sizes = ({ model }: CheckpointSummary): string =>
  model ? `${model.layers} × ${model.hidden} · ${formatCompact(model.parameters)}` : '';

/** Asks how large a model should become. */
export async function askTarget(
  { service }: WizardParts,
  { model, problem, path }: CheckpointSummary,
  frame: StepFrame,
): Promise<{ layers: number; hidden: number } | NoAnswer> {
  if (!model) throw cannotGrow(path, problem);
  const words: Record<TargetPreset['kind'], string> = {
    both: vscode.l10n.t('Deeper and wider'),
    deeper: vscode.l10n.t('Deeper'),
    wider: vscode.l10n.t('Wider'),
  };
  const heads = (hidden: number): number => (hidden * model.heads) / model.hidden;
  const presets = targetPresets(model);
  const targets = presets.map(({ layers, hidden }) => ({ layers, hidden }));
  const counted = service.call('parameters', { checkpoint: path, targets });
  const choices = (counts: readonly (number | undefined)[]): Choice<TargetPreset | 'custom'>[] => [
    ...presets.map((preset, index) => ({
      label: `$(arrow-up) ${words[preset.kind]}`,
      description: [
        `${preset.layers} × ${preset.hidden}`,
        ...(counts[index] === undefined
          ? []
          : [vscode.l10n.t('{0} parameters', formatCompact(counts[index]))]),
      ].join(' · '),
      detail: vscode.l10n.t(
        '{0}, {1} in {2}',
        plural(preset.layers, '{0} layer', '{0} layers'),
        plural(preset.hidden, '{0} hidden unit', '{0} hidden units'),
        plural(heads(preset.hidden), '{0} head', '{0} heads'),
      ),
      value: preset,
    })),
    { label: `$(edit) ${vscode.l10n.t('Other sizes…')}`, value: 'custom' as const },
  ];
  const [{ layers, hidden }] = presets as [TargetPreset];
  for (;;) {
    const answer = await pickStep<TargetPreset | 'custom'>(frame, {
      placeholder: vscode.l10n.t(
        'How large should {0} ({1} × {2}) become?',
        labelOf(path),
        plural(model.layers, '{0} layer', '{0} layers'),
        model.hidden,
      ),
      choices: choices([]),
      later: [counted.then(choices)],
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer !== 'custom') return { layers: answer.layers, hidden: answer.hidden };
    const typed = await inputStep(
      { ...frame, step: Math.max(2, frame.step) },
      {
        prompt: vscode.l10n.t('Layers × hidden units of the grown model'),
        value: `${layers} × ${hidden}`,
        placeholder: '12 × 768',
        validate: text => validateTarget(text, model),
      },
    );
    if (typed === cancelled) return cancelled;
    if (typed !== back) return parseTarget(typed)!;
  }
}

/** Throws UserError for a checkpoint that is no model of a known family. */
export function requireModel({ model, problem, path }: CheckpointSummary): void {
  if (model) return;
  throw new UserError(
    vscode.l10n.t('{0} cannot be trained. {1}', labelOf(path), problem?.message ?? '').trimEnd(),
    problem?.remedy ?? vscode.l10n.t('Choose the checkpoint of a model.'),
  );
}

/** Why a checkpoint that is no model of a known family cannot grow. */
const cannotGrow = (path: string, problem: CheckpointSummary['problem']): UserError =>
  new UserError(
    vscode.l10n.t('{0} cannot grow. {1}', labelOf(path), problem?.message ?? '').trimEnd(),
    problem?.remedy ?? vscode.l10n.t('Choose the checkpoint of a model.'),
  );

/** What data turn out to be for a checkpoint, and which length of sequences suits. */
export const lookAtData = (
  { service, settings: { threads } }: WizardParts,
  {
    sequenceLength,
    ...question
  }: {
    readonly checkpoint: string;
    readonly data: string;
    readonly sequenceLength: number | undefined;
  },
  signal: AbortSignal,
): Promise<DataOutlook> =>
  service
    .call(
      'lookAtData',
      {
        ...question,
        ...(sequenceLength !== undefined && { sequenceLength }),
        ...(threads !== undefined && { threads }),
      },
      { signal },
    )
    // A plan without it is a plan all the same; the run says what it finds.
    .catch((error: unknown) => ({ notes: [explain(error)] }));

function validateTarget(
  text: string,
  model: NonNullable<CheckpointSummary['model']>,
): string | undefined {
  const target = parseTarget(text);
  if (!target) return vscode.l10n.t('Type layers × hidden units, such as 12 × 768.');
  const problem = targetProblem(model, target);
  switch (problem?.kind) {
    case undefined:
      return undefined;
    case 'smaller':
      return vscode.l10n.t('A model only grows: at least {0} × {1}.', model.layers, model.hidden);
    case 'same':
      return vscode.l10n.t('These are its sizes already.');
    case 'heads':
      return vscode.l10n.t(
        'Heads keep their size: {0} or {1} hidden units divide into whole heads.',
        problem.below,
        problem.above,
      );
  }
}

function dataQuestion(kind: DataKind): string {
  switch (kind) {
    case 'text':
      return vscode.l10n.t('Which text should it learn from?');
    case 'labels':
      return vscode.l10n.t('Which labelled texts should it learn from?');
    case 'images':
      return vscode.l10n.t('Which images should it learn from?');
  }
}

/** Asks for data to learn from; null for none, which is offered unless it is required. */
export async function askData(
  recent: RecentData,
  checkpoint: CheckpointSummary,
  options: {
    readonly frame: StepFrame;
    readonly required: boolean;
    /** What a receipt says, which stands first. */
    readonly preset?: { readonly path: string; readonly from: string };
  },
): Promise<string | null | NoAnswer> {
  const { frame, required, preset } = options;
  const kind = dataKind(checkpoint.model?.objective);
  const choices = async (): Promise<Choice<DataChoice>[]> => {
    const all = await dataChoices(recent, kind, preset);
    return required ? all.filter(({ value }) => value?.kind !== 'none') : all;
  };
  for (;;) {
    const answer = await pickStep(frame, {
      placeholder: dataQuestion(kind),
      choices: choices(),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer.kind === 'none') return null;
    const path = answer.kind === 'path' ? answer.path : await chooseData(answer.kind);
    if (path !== undefined) return path;
  }
}

/**
 * A method as a line of a list; one that is refused, by itself or with other words, tells why and has
 * no value.
 */
export function methodChoice(
  { name, title, does, preserves, refusals: [refusal] }: MethodOffer,
  otherwise?: string,
): Choice<string> {
  const refused = refusal ? `${refusal.reason} ${refusal.remedy}` : otherwise;
  if (refused !== undefined) {
    const label = `$(circle-slash) ${title}`;
    return {
      label,
      description: vscode.l10n.t('not possible here'),
      detail: refused,
      explanation: refused,
    };
  }
  return {
    label: title,
    description: does,
    detail: vscode.l10n.t('Preserves: {0}', preserves),
    value: name,
  };
}

/** Lines that can be chosen first, the others last, each in their order. */
export const possibleFirst = <T>(choices: readonly Choice<T>[]): Choice<T>[] => [
  ...choices.filter(({ value }) => value !== undefined),
  ...choices.filter(({ value }) => value === undefined),
];

/** Whether something lies at an output, or what a stopped run left beside it. */
export const isTaken = async (out: string): Promise<boolean> =>
  (await exists(out)) || exists(`${out}.run`);

/** A new folder inside the one a person chooses. */
export async function chooseOutput(out: string): Promise<string | undefined> {
  const [parent] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: vscode.l10n.t('Write Here'),
    })) ?? [];
  if (!parent) return undefined;
  const base = join(parent.fsPath, basename(out));
  for (let number = 1; ; number++) {
    const path = number === 1 ? base : `${base}-${number}`;
    if (!(await isTaken(path))) return path;
  }
}
