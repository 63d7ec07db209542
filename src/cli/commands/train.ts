import type { Command } from 'commander';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import {
  addEngineOptions,
  addOutOptions,
  addOutputOptions,
  addSeedOption,
  addStepOptions,
  outOf,
  type OutOptions,
  type StepOptions,
} from '../options';

type TrainOptions = JobOptions &
  OutOptions &
  DataFlags &
  StepOptions & { readonly resume?: boolean };

/** `ligo train`: continued pretraining. */
export function addTrainCommand(program: Command, host: Host): void {
  const command = program
    .command('train <checkpoint>')
    .description('train a checkpoint on, with its own objective');
  addEngineOptions(addSeedOption(addStepOptions(addDataOptions(command))));
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
        data: await requiredDataOf(checkpoint, options),
        settings: {
          ...preset,
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
