import type { Command } from 'commander';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import {
  addDropHeadOption,
  addEngineOptions,
  addOption,
  addOutOptions,
  addOutputOptions,
  addSeedOption,
  addStepOptions,
  outOf,
  saveEveryHelp,
  takes,
  type OutOptions,
  type StepOptions,
} from '../options';

type TrainOptions = JobOptions &
  OutOptions &
  DataFlags &
  StepOptions & {
    readonly fromScratch?: boolean;
    readonly dropHead?: boolean;
    readonly evaluateEvery?: number;
    readonly saveEvery?: number;
    readonly resume?: boolean;
    readonly tokenDrop?: number;
    readonly layerDrop?: number;
    readonly subNetworkSteps?: number;
    readonly subNetworkLayers?: number;
  };

/** `ligo train`: continued pretraining. */
export function addTrainCommand(program: Command, host: Host): void {
  const command = program
    .command('train <checkpoint>')
    .description('train a checkpoint on, with its own objective');
  addEngineOptions(addSeedOption(addStepOptions(addDataOptions(command))));
  addOption(command, '--evaluate-every <n>', 'steps between held-out evaluations', takes.count);
  addOption(command, '--save-every <n>', saveEveryHelp, takes.count);
  command.option('--from-scratch', 'begin with random weights; of the checkpoint only sizes stay');
  addPartialOptions(addDropHeadOption(command));
  addOutOptions(command).option('--resume', 'go on with a run that was stopped');
  addOutputOptions(command).action(async (checkpoint: string, options: TrainOptions) => {
    const { seed, resume = false } = options;
    await runJob(host, options, checkpoint, async context => {
      const [{ train }, { trainSettings }] = await Promise.all([
        import('../../run/train/train'),
        import('../../run/settings'),
      ]);
      await train(context, {
        checkpoint,
        seed,
        resume,
        ...outOf(options),
        fromScratch: options.fromScratch ?? false,
        dropHead: options.dropHead ?? false,
        evaluateEvery: options.evaluateEvery,
        saveEvery: options.saveEvery,
        data: await requiredDataOf(checkpoint, options),
        settings: trainSettings(options),
      });
    });
  });
}

/** Adds the options that leave out a part of the computing. */
function addPartialOptions(command: Command): void {
  const { share, count } = takes;
  addOption(
    command,
    '--token-drop <share>',
    'share of tokens that pass the middle layers by',
    share,
  );
  addOption(
    command,
    '--layer-drop <share>',
    'highest share of sequences that pass a layer by',
    share,
  );
  addOption(command, '--sub-network-steps <n>', 'first steps, of the bottom layers alone', count);
  addOption(command, '--sub-network-layers <n>', 'how many those are; by default half', count);
}
