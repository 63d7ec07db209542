import type { Command } from 'commander';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import {
  addSubmitOptions,
  isSubmitted,
  stateFile,
  submitRun,
  usualSaves,
  type SubmitOptions,
} from '../submission';
import {
  addDropHeadOption,
  addEngineOptions,
  addFormatOptions,
  addOptimizerStateOption,
  addOption,
  addOutOptions,
  addOutputOptions,
  addSeedOption,
  addStepOptions,
  ggufOf,
  outOf,
  saveEveryHelp,
  takes,
  type FormatOptions,
  type OutOptions,
  type StepOptions,
} from '../options';

type TrainOptions = JobOptions &
  OutOptions &
  FormatOptions &
  DataFlags &
  StepOptions &
  SubmitOptions & {
    readonly fromScratch?: boolean;
    readonly dropHead?: boolean;
    readonly evaluateEvery?: number;
    readonly saveEvery?: number;
    readonly resume?: boolean;
    readonly optimizerState?: 'continue' | 'reset';
    readonly keepOptimizer?: boolean;
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
  addOptimizerStateOption(command);
  command.option('--keep-optimizer', 'write the optimizer’s state beside the result');
  addPartialOptions(addDropHeadOption(command));
  addFormatOptions(addOutOptions(command)).option('--resume', 'go on with a run that was stopped');
  addOutputOptions(addSubmitOptions(command)).action(
    async (checkpoint: string, options: TrainOptions) => {
      const { steps, seed, resume = false } = options;
      if (isSubmitted(command, options)) {
        await submitRun(host, {
          command,
          checkpoint,
          options,
          state: stateFile(options.out),
          prepare: async () => {
            await requiredDataOf(checkpoint, options);
          },
          changes: { saveEvery: options.saveEvery ?? usualSaves(steps) },
        });
        return;
      }
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
          gguf: ggufOf(options),
          fromScratch: options.fromScratch ?? false,
          dropHead: options.dropHead ?? false,
          evaluateEvery: options.evaluateEvery,
          saveEvery: options.saveEvery,
          optimizerState: options.optimizerState === 'continue' ? 'use' : options.optimizerState,
          keepOptimizer: options.keepOptimizer ?? false,
          data: await requiredDataOf(checkpoint, options),
          settings: trainSettings(options),
          rateIsOurs: options.learningRate === undefined,
        });
      });
    },
  );
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
