import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { WorkerRequest } from '../protocol/runFolder';
import type { CheckpointSummary, PlanQuestion } from '../protocol/service';
import { labelOf, type CheckpointNode } from './checkpointTree';
import type { Checkpoints } from './checkpoints';
import { chooseData, dataChoices, type RecentData } from './dataChoices';
import { freeOutput } from './outputName';
import { planChoices, type Problem } from './planPreview';
import { exists } from './runFolder';
import type { ServiceClient } from './serviceClient';
import type { Settings } from './settings';
import {
  back,
  cancelled,
  inputStep,
  pickStep,
  runSteps,
  type Choice,
  type NoAnswer,
} from './steps';
import {
  parseTarget,
  targetName,
  targetPresets,
  targetProblem,
  type TargetPreset,
} from './targets';
import { explain, formatCount } from './text';

/** What the wizard knows by now. */
interface Draft {
  readonly checkpoint?: CheckpointSummary;
  readonly target?: { readonly layers: number; readonly hidden: number };
  readonly method?: Method;
  /** Absolute path; null for none. */
  readonly data?: string | null;
  readonly steps?: number;
  readonly out?: string;
}

type Method = 'ligo' | 'stack' | 'random';
const presetSteps = 100;
const totalSteps = 6;

/** What the wizard needs from the rest of the host. */
export interface WizardParts {
  readonly service: ServiceClient;
  readonly checkpoints: Checkpoints;
  readonly settings: Settings;
  readonly recent: RecentData;
}

/** Asks for everything a growth needs, one thing at a time, and shows the plan before it starts. */
export async function askForGrowth(
  parts: WizardParts,
  checkpointPath: string | undefined,
): Promise<WorkerRequest | undefined> {
  const { service, recent } = parts;
  const given =
    checkpointPath === undefined ? undefined : await service.call('summarize', checkpointPath);
  const title = vscode.l10n.t('Grow Model');
  const frame = (step: number) => ({ title, step, totalSteps });
  const merge = <K extends keyof Draft>(draft: Draft, key: K, value: Draft[K] | NoAnswer) =>
    value === back || value === cancelled ? value : ({ ...draft, [key]: value } as Draft);

  const finished = await runSteps<Draft>(given ? { checkpoint: given } : {}, [
    async draft =>
      given ? 'skip' : merge(draft, 'checkpoint', await askCheckpoint(parts, frame(1))),
    async draft => merge(draft, 'target', await askTarget(draft.checkpoint!, frame(2))),
    async draft => merge(draft, 'data', await askData(recent, draft, frame(3))),
    async draft => merge(draft, 'method', await askMethod(draft, frame(4))),
    async draft => {
      if (draft.method !== 'ligo') return 'skip';
      return merge(draft, 'steps', await askSteps(frame(5), draft.steps));
    },
    async draft => askStart(parts, draft, frame(6)),
  ]);
  if (!finished) return undefined;
  if (finished.data) await recent.add(finished.data);
  return requestOf(finished as Required<Draft>, parts.settings);
}

type Frame = Parameters<typeof pickStep>[0];

async function askCheckpoint(
  { checkpoints, service }: WizardParts,
  frame: Frame,
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
      placeholder: vscode.l10n.t('Which checkpoint should grow?'),
      choices: choices(),
      later: checkpoints.models.length > 0 ? undefined : checkpoints.refresh().then(choices),
    });
    if (answer !== 'other') return answer;
    const [uri] =
      (await vscode.window.showOpenDialog({
        canSelectFiles: true,
        canSelectFolders: true,
        openLabel: vscode.l10n.t('Grow'),
        filters: { [vscode.l10n.t('Checkpoints')]: ['safetensors', 'json'] },
      })) ?? [];
    if (uri) return service.call('summarize', uri.fsPath);
  }
}

const sizes = ({ model }: CheckpointSummary): string =>
  model ? `${model.layers} × ${model.hidden} · ${formatCount(model.parameters)}` : '';

async function askTarget(
  { model, problem, path }: CheckpointSummary,
  frame: Frame,
): Promise<{ layers: number; hidden: number } | NoAnswer> {
  if (!model) {
    const why = problem ? `${problem.message} ${problem.remedy}` : '';
    throw new Error(vscode.l10n.t('{0} is no model that can grow. {1}', basename(path), why));
  }
  const words: Record<TargetPreset['kind'], string> = {
    both: vscode.l10n.t('Deeper and wider'),
    deeper: vscode.l10n.t('Deeper'),
    wider: vscode.l10n.t('Wider'),
  };
  const heads = (hidden: number): number => (hidden * model.heads) / model.hidden;
  for (;;) {
    const answer = await pickStep<TargetPreset | 'custom'>(frame, {
      placeholder: vscode.l10n.t(
        'How large should {0} ({1} layers × {2}) become?',
        labelOf(path),
        model.layers,
        model.hidden,
      ),
      choices: [
        ...targetPresets(model).map(preset => ({
          label: `$(arrow-up) ${words[preset.kind]}`,
          description: `${preset.layers} × ${preset.hidden}`,
          detail: vscode.l10n.t(
            '{0} layers, {1} hidden units in {2} heads',
            preset.layers,
            preset.hidden,
            heads(preset.hidden),
          ),
          value: preset,
        })),
        { label: `$(edit) ${vscode.l10n.t('Other sizes…')}`, value: 'custom' as const },
      ],
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer !== 'custom') return { layers: answer.layers, hidden: answer.hidden };
    const typed = await inputStep(
      { ...frame, step: Math.max(2, frame.step) },
      {
        prompt: vscode.l10n.t('Layers × hidden units of the grown model'),
        value: `${model.layers} × ${model.hidden}`,
        placeholder: '12 × 768',
        validate: text => validateTarget(text, model),
      },
    );
    if (typed === cancelled) return cancelled;
    if (typed !== back) return parseTarget(typed)!;
  }
}

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

function askMethod({ checkpoint, data }: Draft, frame: Frame): Promise<Method | NoAnswer> {
  const hasHead = checkpoint?.model?.head !== 'none';
  const learns = hasHead && data !== null;
  const choices: Choice<Method>[] = [
    {
      label: '$(mortar-board) LiGO',
      description: vscode.l10n.t('learn growth operators from data'),
      detail: learns
        ? vscode.l10n.t('The best start for further training; takes data and some time.')
        : hasHead
          ? vscode.l10n.t('Not possible without data.')
          : vscode.l10n.t('Not possible: this checkpoint has no head to learn by.'),
      ...(learns && { value: 'ligo' as const }),
    },
    {
      label: `$(copy) ${vscode.l10n.t('Stack')}`,
      description: vscode.l10n.t('copy layers and units'),
      detail: vscode.l10n.t('Takes seconds and learns nothing.'),
      value: 'stack',
    },
    {
      label: `$(sparkle) ${vscode.l10n.t('Random')}`,
      description: vscode.l10n.t('start anew at the larger size'),
      detail: vscode.l10n.t('For comparison.'),
      value: 'random',
    },
  ];
  return pickStep<Method>(frame, {
    placeholder: vscode.l10n.t('How should it grow?'),
    choices,
  });
}

async function askData(
  recent: RecentData,
  { checkpoint }: Draft,
  frame: Frame,
): Promise<string | null | NoAnswer> {
  const kind = checkpoint?.model?.objective === 'image-classification' ? 'images' : 'text';
  for (;;) {
    const answer = await pickStep(frame, {
      placeholder:
        kind === 'text'
          ? vscode.l10n.t('Which text should it learn from?')
          : vscode.l10n.t('Which images should it learn from?'),
      choices: dataChoices(recent, kind),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer.kind === 'none') return null;
    const path = answer.kind === 'path' ? answer.path : await chooseData(answer.kind);
    if (path !== undefined) return path;
  }
}

async function askSteps(frame: Frame, before = presetSteps): Promise<number | NoAnswer> {
  const typed = await inputStep(frame, {
    prompt: vscode.l10n.t('Steps to learn the operators for'),
    value: String(before),
    validate: text =>
      /^\s*[1-9]\d{0,6}\s*$/.test(text)
        ? undefined
        : vscode.l10n.t('Type a whole number from 1 to 9,999,999.'),
  });
  return typeof typed === 'string' ? Number(typed) : typed;
}

async function askStart(
  { service, settings }: WizardParts,
  draft: Draft,
  frame: Frame,
): Promise<Draft | NoAnswer> {
  const { checkpoint, target, method, steps = presetSteps } = draft;
  const question: PlanQuestion = { checkpoint: checkpoint!.path, target: target!, steps };
  let out =
    draft.out ??
    (await freeOutput(checkpoint!.path, targetName(target!, checkpoint!.model!), exists));
  const planned = service.call('plan', question);
  const { engine, threads } = settings;
  const looked = planned.then(plan =>
    plan.refusals.length > 0
      ? undefined
      : service
          .call('outlook', {
            ...{ ...question, engine, learns: method === 'ligo' && plan.cost !== undefined },
            ...(threads !== undefined && { threads }),
          })
          // The plan tells why no engine was found; it is a plan all the same.
          .catch((error: unknown): Problem => ({ problem: explain(error) })),
  );
  for (;;) {
    const shownOut = out;
    const answer = await pickStep(frame, {
      placeholder: vscode.l10n.t('Check the plan, then start'),
      choices: planned.then(plan => planChoices(forMethod(plan, method), shownOut)),
      later: Promise.all([planned, looked]).then(([plan, outlook]) =>
        planChoices(forMethod(plan, method), shownOut, outlook),
      ),
    });
    if (answer === back || answer === cancelled) return answer;
    if (answer === 'start') return { ...draft, out, steps };
    if (answer === 'setUpEngine') {
      await vscode.commands.executeCommand('ligo.setUpGpuEngine');
      return cancelled;
    }
    out = (await chooseOutput(out)) ?? out;
  }
}

/** Only learning costs steps. */
const forMethod = <P extends { cost?: unknown }>(plan: P, method: Method | undefined): P => {
  if (method === 'ligo') return plan;
  const { cost, ...rest } = plan;
  void cost;
  return rest as P;
};

/** A new folder inside the one a person chooses. */
async function chooseOutput(out: string): Promise<string | undefined> {
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
    if (!(await exists(path))) return path;
  }
}

function requestOf(draft: Required<Draft>, { engine, threads }: Settings): WorkerRequest {
  const { checkpoint, target, method, data, steps, out } = draft;
  return newRequest({
    checkpoint: checkpoint.path,
    target,
    method,
    out,
    steps,
    engine,
    title: `${labelOf(checkpoint.path)} → ${target.layers} × ${target.hidden}`,
    ...(data !== null && { data: { path: data } }),
    ...(threads !== undefined && { threads }),
  });
}

/** A request with what no person is asked for. */
export const newRequest = (
  given: Pick<WorkerRequest, 'checkpoint' | 'target' | 'method' | 'out' | 'steps' | 'title'> &
    Partial<WorkerRequest>,
): WorkerRequest => ({
  version: 1,
  id: randomUUID(),
  created: Date.now(),
  kind: 'grow',
  engine: 'auto',
  seed: 0,
  resume: false,
  overwrite: false,
  ...given,
});
