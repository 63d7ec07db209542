import type { Command } from 'commander';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import {
  addEngineOptions,
  addOption,
  addOutOptions,
  addOutputOptions,
  addSeedOption,
  addStepOptions,
  memorySettingsOf,
  outOf,
  takes,
  type OutOptions,
  type StepOptions,
} from '../options';

type TrainOptions = JobOptions &
  OutOptions &
  DataFlags &
  StepOptions & {
    readonly fromScratch?: boolean;
    readonly evaluateEvery?: number;
    readonly saveEvery?: number;
    readonly resume?: boolean;
  };

/** `ligo train`: continued pretraining. */
export function addTrainCommand(program: Command, host: Host): void {
  const command = program
    .command('train <checkpoint>')
    .description('train a checkpoint on, with its own objective');
  addEngineOptions(addSeedOption(addStepOptions(addDataOptions(command))));
  addOption(command, '--evaluate-every <n>', 'steps between held-out evaluations', takes.count);
  addOption(command, '--save-every <n>', 'steps between saves of a resumable state', takes.count);
  command.option('--from-scratch', 'begin with random weights; of the checkpoint only sizes stay');
  addOutOptions(command).option('--resume', 'go on with a run that was stopped');
  addOutputOptions(command).action(async (checkpoint: string, options: TrainOptions) => {
    const { steps, seed, resume = false, learningRate, weightDecay, schedule } = options;
    await runJob(host, options, checkpoint, async context => {
      const [{ train }, { defaultTrainSettings: preset, defaultWarmup }] = await Promise.all([
        import('../../run/train'),
        import('../../run/settings'),
      ]);
      await train(context, {
        ...{ checkpoint, seed, resume, ...outOf(options) },
        fromScratch: options.fromScratch ?? false,
        evaluateEvery: options.evaluateEvery,
        saveEvery: options.saveEvery,
        data: await requiredDataOf(checkpoint, options),
        settings: {
          ...preset,
          ...memorySettingsOf(options),
          steps,
          warmup: options.warmup ?? defaultWarmup(steps),
          learningRate: learningRate ?? preset.learningRate,
          weightDecay: weightDecay ?? preset.weightDecay,
          schedule: schedule ?? preset.schedule,
        },
      });
    });
  });
}
