import * as vscode from 'vscode';
import type { Keep } from '../../protocol/comparison';
import type { GrowthOptions } from '../../protocol/runFolder';
import { askWholeNumber } from './askNumber';
import {
  accumulateLine,
  changeOptions,
  onOrOff,
  optionLine,
  otherPrecision,
  precisionLine,
  recomputeLine,
} from './changeOptions';
import { askGguf, ggufLine } from './ggufChoice';
import {
  inputStep,
  pickStep,
  type Choice,
  type NoAnswer,
  type StepFrame,
  type cancelled,
} from './steps';

/** What a plan of a growth leaves to its method unless a person says otherwise. */
export interface MoreOptions extends GrowthOptions {
  readonly seed: number;
  /** Of the grown model; the number that keeps their size where absent. */
  readonly heads?: number;
  /** Of the grown model, where heads share keys and values; in the old ratio to heads where absent. */
  readonly kvHeads?: number;
  /** Feed-forward units of the grown model; in the old ratio to the hidden ones where absent. */
  readonly ffn?: number;
  readonly precision?: 'mixed';
}

/** What becomes of the trained models of a comparison, in a sentence. */
export function keepText(keep: Keep | undefined): string {
  switch (keep) {
    case 'all':
      return vscode.l10n.t('The trained model of every run is kept beside the report.');
    case 'none':
      return vscode.l10n.t('Only the report is kept.');
    default:
      return vscode.l10n.t(
        'The trained model of the winner, the method that saves the most computation, is kept beside the report.',
      );
  }
}

/** Asks whose trained models a comparison keeps. */
export function askKeep(frame: StepFrame, before: Keep): Promise<Keep | NoAnswer> {
  const choice = (value: Keep, label: string): Choice<Keep> => ({
    label,
    detail: keepText(value),
    value,
    ...(value === before && { description: vscode.l10n.t('chosen now') }),
  });
  return pickStep<Keep>(
    { ...frame, step: Math.max(2, frame.step) },
    {
      placeholder: vscode.l10n.t('Which trained models should be kept?'),
      choices: [
        choice('winner', vscode.l10n.t('The Winner')),
        choice('all', vscode.l10n.t('All')),
        choice('none', vscode.l10n.t('None')),
      ],
    },
  );
}

/** What nobody has to say. */
export const usualOptions: MoreOptions = { seed: 0 };

type Option = keyof MoreOptions;

/** What decides which options there are. */
interface ModelTraits {
  /** Whether operators are learned. */
  readonly learns: boolean;
  /** Whether heads of the model may share keys and values. */
  readonly sharesKeys: boolean;
}

/** Lets a person change options one after another, until they go on or back. */
export const askMore = (
  frame: StepFrame,
  before: MoreOptions,
  model: ModelTraits,
): Promise<MoreOptions | typeof cancelled> =>
  changeOptions<MoreOptions, Option>(frame, before, {
    choices: options => choicesOf(options, model),
    ask,
  });

function choicesOf(options: MoreOptions, { learns, sharesKeys }: ModelTraits): Choice<Option>[] {
  const methods = vscode.l10n.t('as the method has it');
  const { seed, heads, kvHeads, ffn, learningRate, shareFfn, gguf } = options;
  const file = ggufLine(gguf);
  const sizes = [
    optionLine(
      'heads',
      vscode.l10n.t('Heads…'),
      heads === undefined ? vscode.l10n.t('as many as keep their size') : String(heads),
      vscode.l10n.t('Attention heads of the grown model'),
    ),
    ...(sharesKeys
      ? [
          optionLine(
            'kvHeads',
            vscode.l10n.t('Key-Value Heads…'),
            kvHeads === undefined ? vscode.l10n.t('in the ratio of the source') : String(kvHeads),
            vscode.l10n.t('Heads with keys and values of their own, which the others share'),
          ),
        ]
      : []),
    optionLine(
      'ffn',
      vscode.l10n.t('Feed-Forward Units…'),
      ffn === undefined ? vscode.l10n.t('in the ratio of the source') : String(ffn),
      vscode.l10n.t('Units between the two matrices of each feed-forward block'),
    ),
    optionLine(
      'seed',
      vscode.l10n.t('Seed…'),
      String(seed),
      vscode.l10n.t('Decides all that is random'),
    ),
    optionLine('gguf', file.label, file.now, file.detail),
  ];
  const learning = [
    optionLine(
      'learningRate',
      vscode.l10n.t('Learning Rate…'),
      learningRate === undefined ? methods : String(learningRate),
      vscode.l10n.t('Peak rate of all operators'),
    ),
    accumulateLine(options),
    recomputeLine(options),
    optionLine(
      'shareFfn',
      vscode.l10n.t('Share Feed-Forward Operators'),
      onOrOff(shareFfn),
      vscode.l10n.t('One width operator for the feed-forward units of all layers: less memory'),
    ),
    precisionLine(options),
  ];
  return [...sizes, ...(learns ? learning : [])];
}

async function ask(
  inner: StepFrame,
  options: MoreOptions,
  option: Option,
): Promise<MoreOptions | NoAnswer> {
  const number = async (
    key: 'seed' | 'heads' | 'kvHeads' | 'ffn' | 'accumulate',
    prompt: string,
    range: Parameters<typeof askWholeNumber>[2],
  ): Promise<MoreOptions | NoAnswer> => {
    const answer = await askWholeNumber(inner, prompt, range);
    return typeof answer === 'number' ? { ...options, [key]: answer } : answer;
  };
  const most = 1_000_000;
  switch (option) {
    case 'seed':
      return number('seed', vscode.l10n.t('Seed'), { before: options.seed, least: 0, most });
    case 'heads': {
      const prompt = vscode.l10n.t('Attention heads of the grown model');
      return number('heads', prompt, { before: options.heads ?? 1, least: 1, most });
    }
    case 'kvHeads': {
      const prompt = vscode.l10n.t('Key-value heads of the grown model');
      return number('kvHeads', prompt, { before: options.kvHeads ?? 1, least: 1, most });
    }
    case 'ffn': {
      const prompt = vscode.l10n.t('Feed-forward units of the grown model');
      return number('ffn', prompt, { before: options.ffn ?? 1, least: 1, most });
    }
    case 'accumulate': {
      const prompt = vscode.l10n.t('Batches that make one update');
      return number('accumulate', prompt, {
        before: options.accumulate ?? 1,
        least: 1,
        most: 1024,
      });
    }
    case 'gguf':
      return askGguf(inner, options);
    case 'learningRate':
      return askRate(inner, options);
    case 'recompute':
      return { ...options, recompute: !options.recompute };
    case 'shareFfn':
      return { ...options, shareFfn: !options.shareFfn };
    case 'precision':
      return otherPrecision(options);
  }
}

async function askRate(frame: StepFrame, options: MoreOptions): Promise<MoreOptions | NoAnswer> {
  const typed = await inputStep(frame, {
    prompt: vscode.l10n.t('Peak learning rate of all operators'),
    value: String(options.learningRate ?? 0.003),
    validate: text => {
      const rate = text.trim() === '' ? NaN : Number(text);
      if (rate > 0 && rate <= 10) return undefined;
      return vscode.l10n.t('Type a number above 0, at most 10.');
    },
  });
  return typeof typed === 'string' ? { ...options, learningRate: Number(typed) } : typed;
}
