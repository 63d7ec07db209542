import * as vscode from 'vscode';
import { plural } from '../text';
import { askWholeNumber } from './askNumber';
import { askGguf, ggufLine } from './ggufChoice';
import {
  accumulateLine,
  changeOptions,
  onOrOff,
  optionLine,
  otherPrecision,
  precisionLine,
  recomputeLine,
} from './changeOptions';
import type { cancelled, Choice, NoAnswer, StepFrame } from './steps';
import { askNumber, type TrainingChoices } from './training';

/** What is staged behind the plan of a training. */
type Option = keyof Pick<
  TrainingChoices,
  | 'warmup'
  | 'weightDecay'
  | 'accumulate'
  | 'recompute'
  | 'precision'
  | 'tokenDrop'
  | 'layerDrop'
  | 'subNetworkSteps'
  | 'subNetworkLayers'
  | 'fromScratch'
  | 'gguf'
  | 'seed'
>;

/** Lets a person change options of a training one after another, until they go on or back. */
export const askMoreTraining = (
  frame: StepFrame,
  before: TrainingChoices,
): Promise<TrainingChoices | typeof cancelled> =>
  changeOptions<TrainingChoices, Option>(frame, before, { choices: choicesOf, ask });

function choicesOf(options: TrainingChoices): Choice<Option>[] {
  const orNone = (value: number | undefined): string =>
    value === undefined ? vscode.l10n.t('none') : String(value);
  const { steps, seed, weightDecay = 0.01, subNetworkSteps } = options;
  const file = ggufLine(options.gguf);
  const warmup = options.warmup ?? Math.floor(steps / 10);
  return [
    optionLine(
      'warmup',
      vscode.l10n.t('Warm-Up…'),
      plural(warmup, '{0} step', '{0} steps'),
      vscode.l10n.t('Steps in which the learning rate goes up; a tenth unless you say otherwise'),
    ),
    optionLine(
      'weightDecay',
      vscode.l10n.t('Weight Decay…'),
      String(weightDecay),
      vscode.l10n.t('Of matrices, by AdamW'),
    ),
    accumulateLine(options),
    recomputeLine(options),
    precisionLine(options),
    optionLine(
      'tokenDrop',
      vscode.l10n.t('Token Drop…'),
      orNone(options.tokenDrop),
      vscode.l10n.t('Share of tokens that pass the middle layers by: less computation'),
    ),
    optionLine(
      'layerDrop',
      vscode.l10n.t('Layer Drop…'),
      orNone(options.layerDrop),
      vscode.l10n.t('Highest share of sequences that pass a layer by: less computation'),
    ),
    optionLine(
      'subNetworkSteps',
      vscode.l10n.t('Sub-Network Steps…'),
      orNone(subNetworkSteps),
      vscode.l10n.t('First steps, which train the bottom layers alone'),
    ),
    ...(subNetworkSteps === undefined
      ? []
      : [
          optionLine(
            'subNetworkLayers',
            vscode.l10n.t('Sub-Network Layers…'),
            options.subNetworkLayers === undefined
              ? vscode.l10n.t('half of them')
              : String(options.subNetworkLayers),
            vscode.l10n.t('How many layers those steps train'),
          ),
        ]),
    optionLine(
      'fromScratch',
      vscode.l10n.t('From Scratch'),
      onOrOff(options.fromScratch),
      vscode.l10n.t('Begins with random weights: of the checkpoint only its sizes stay'),
    ),
    optionLine('gguf', file.label, file.now, file.detail),
    optionLine(
      'seed',
      vscode.l10n.t('Seed…'),
      String(seed),
      vscode.l10n.t('Decides all that is random'),
    ),
  ];
}

async function ask(
  frame: StepFrame,
  options: TrainingChoices,
  option: Option,
): Promise<TrainingChoices | NoAnswer> {
  const { steps } = options;
  const whole = async (
    key: 'warmup' | 'accumulate' | 'subNetworkLayers' | 'seed',
    prompt: string,
    range: Parameters<typeof askWholeNumber>[2],
  ): Promise<TrainingChoices | NoAnswer> => {
    const answer = await askWholeNumber(frame, prompt, range);
    return typeof answer === 'number' ? { ...options, [key]: answer } : answer;
  };
  const share = async (
    key: 'tokenDrop' | 'layerDrop',
    prompt: string,
  ): Promise<TrainingChoices | NoAnswer> => {
    const answer = await askNumber(frame, {
      prompt,
      before: options[key] ?? 0,
      problem: value =>
        value >= 0 && value < 1
          ? undefined
          : vscode.l10n.t('Type a share from 0, for none, to below 1.'),
    });
    if (typeof answer !== 'number') return answer;
    return withOrWithout(options, key, answer);
  };
  switch (option) {
    case 'warmup': {
      const prompt = vscode.l10n.t('Steps of warm-up');
      const before = options.warmup ?? Math.floor(steps / 10);
      return whole('warmup', prompt, { before, least: 0, most: steps });
    }
    case 'weightDecay': {
      const answer = await askNumber(frame, {
        prompt: vscode.l10n.t('Weight decay'),
        before: options.weightDecay ?? 0.01,
        problem: value =>
          value >= 0 && value <= 10 ? undefined : vscode.l10n.t('Type a number from 0 to 10.'),
      });
      return typeof answer === 'number' ? { ...options, weightDecay: answer } : answer;
    }
    case 'accumulate': {
      const prompt = vscode.l10n.t('Batches that make one update');
      const before = options.accumulate ?? 1;
      return whole('accumulate', prompt, { before, least: 1, most: 1024 });
    }
    case 'recompute':
      return { ...options, recompute: !options.recompute };
    case 'precision':
      return otherPrecision(options);
    case 'tokenDrop':
      return share('tokenDrop', vscode.l10n.t('Share of tokens that pass the middle layers by'));
    case 'layerDrop':
      return share('layerDrop', vscode.l10n.t('Highest share of sequences that pass a layer by'));
    case 'subNetworkSteps': {
      const answer = await askWholeNumber(
        frame,
        vscode.l10n.t('First steps, of the bottom layers alone; 0 for none'),
        { before: options.subNetworkSteps ?? 0, least: 0, most: steps },
      );
      if (typeof answer !== 'number') return answer;
      const sized = answer === 0 ? withOrWithout(options, 'subNetworkLayers', 0) : options;
      return withOrWithout(sized, 'subNetworkSteps', answer);
    }
    case 'subNetworkLayers': {
      const prompt = vscode.l10n.t('Layers from the bottom that the first steps train');
      const before = options.subNetworkLayers ?? 1;
      return whole('subNetworkLayers', prompt, { before, least: 1, most: 100_000 });
    }
    case 'fromScratch':
      return { ...options, fromScratch: !options.fromScratch };
    case 'gguf':
      return askGguf(frame, options);
    case 'seed':
      return whole('seed', vscode.l10n.t('Seed'), {
        before: options.seed,
        least: 0,
        most: 1_000_000,
      });
  }
}

/** With an option, or without it where it is 0. */
function withOrWithout(
  options: TrainingChoices,
  key: 'tokenDrop' | 'layerDrop' | 'subNetworkSteps' | 'subNetworkLayers',
  value: number,
): TrainingChoices {
  const entries = Object.entries(options).filter(([name]) => name !== key);
  const others = Object.fromEntries(entries) as unknown as TrainingChoices;
  return value === 0 ? others : { ...others, [key]: value };
}
