import type { Command } from 'commander';
import { depthInitializations, widthInitializations } from '../growth/initialize';
import type { GrowthMethodName } from '../growth/methods';
import { ligoSettings, type LigoSettings } from '../run/settings';
import { addOption, addStepOptions, takes, type StepOptions } from './options';

/** How operators are learned, as options say it. */
export interface LigoOptions extends StepOptions {
  readonly widthLearningRate?: number;
  readonly depthLearningRate?: number;
  readonly widthInit?: (typeof widthInitializations)[number];
  readonly depthInit?: (typeof depthInitializations)[number];
  readonly freshness?: number;
  readonly shareFfn?: boolean;
}

/** Adds the options of learning operators. */
export function addLigoOptions(command: Command): Command {
  addStepOptions(command);
  addOption(command, '--width-learning-rate <rate>', 'of width operators alone', takes.rate);
  addOption(command, '--depth-learning-rate <rate>', 'of depth operators alone', takes.rate);
  const widths = takes.word(widthInitializations);
  addOption(command, '--width-init <kind>', widthInitializations.join(', '), widths);
  const depths = takes.word(depthInitializations);
  addOption(command, '--depth-init <kind>', depthInitializations.join(', '), depths);
  const fresh =
    'random part of new weights, of that of a model from scratch; by default 1 in pre-norm models, else 0';
  addOption(command, '--freshness <factor>', fresh, takes.amount);
  return command.option(
    '--share-ffn',
    'one width operator for the feed-forward units of all layers',
  );
}

/** Settings as options give them; what they leave out is the method's, else as the study found best. */
export function ligoSettingsOf(
  options: LigoOptions,
  method: GrowthMethodName = 'ligo',
): LigoSettings {
  const { warmup, weightDecay, schedule } = options;
  const preset = ligoSettings(method, options);
  return {
    ...preset,
    warmup: warmup ?? preset.warmup,
    widthLearningRate: options.widthLearningRate ?? preset.widthLearningRate,
    depthLearningRate: options.depthLearningRate ?? preset.depthLearningRate,
    weightDecay: weightDecay ?? preset.weightDecay,
    schedule: schedule ?? preset.schedule,
    freshness: options.freshness ?? preset.freshness,
    initialization: {
      ...preset.initialization,
      width: options.widthInit ?? preset.initialization.width,
      depth: options.depthInit ?? preset.initialization.depth,
    },
  };
}
