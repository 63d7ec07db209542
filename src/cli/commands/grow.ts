import type { Command } from 'commander';
import { growthMethod, growthMethodNames, type GrowthMethodName } from '../../growth/methods';
import { addDataOptions, dataOf, type DataFlags } from '../dataOptions';
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
import { addLigoOptions, ligoSettingsOf, type LigoOptions } from '../ligoOptions';
import {
  addEngineOptions,
  addFormatOptions,
  addOption,
  addOutOptions,
  addOutputOptions,
  addSeedOption,
  addTargetOptions,
  ggufOf,
  outOf,
  saveEveryHelp,
  takes,
  targetOf,
  type FormatOptions,
  type OutOptions,
  type TargetOptions,
} from '../options';

type GrowOptions = JobOptions &
  TargetOptions &
  OutOptions &
  FormatOptions &
  DataFlags &
  LigoOptions &
  SubmitOptions & {
    readonly method: GrowthMethodName;
    readonly saveEvery?: number;
    readonly resume?: boolean;
    readonly optimizerState?: 'grow' | 'reset';
  };

const optimizerStateHelp =
  'grow: what the optimizer knows of the checkpoint grows too, by methods that copy (as where there is some); reset: leave it behind';

/** `ligo grow`: the main job. */
export function addGrowCommand(program: Command, host: Host): void {
  const command = program.command('grow <checkpoint>').description('grow a checkpoint');
  addDataOptions(addTargetOptions(command));
  const methods = takes.word(growthMethodNames);
  addOption(command, '--method <name>', growthMethodNames.join(', '), methods, 'ligo');
  addLigoOptions(command);
  addOption(command, '--save-every <n>', saveEveryHelp, takes.count);
  const wishes = takes.word(['grow', 'reset'] as const);
  addOption(command, '--optimizer-state <what>', optimizerStateHelp, wishes);
  addEngineOptions(addSeedOption(command));
  addFormatOptions(addOutOptions(command)).option('--resume', 'go on with a run that was stopped');
  addOutputOptions(addSubmitOptions(command)).action(
    async (checkpoint: string, options: GrowOptions) => {
      const { method, seed, resume = false, saveEvery, optimizerState } = options;
      const request = {
        checkpoint,
        target: targetOf(options),
        method,
        seed,
        resume,
        saveEvery,
        optimizerState: optimizerState === 'grow' ? ('use' as const) : optimizerState,
        settings: ligoSettingsOf(options, method),
        ...outOf(options),
        gguf: ggufOf(options),
      };
      if (isSubmitted(command, options)) {
        const learns = growthMethod(method).making.kind === 'learned';
        await submitRun(host, {
          command,
          checkpoint,
          options,
          state: stateFile(options.out),
          prepare: async () => {
            const { checkGrowth } = await import('../../run/grow/grow');
            await checkGrowth({ ...request, data: await dataOf(checkpoint, options) });
          },
          ...(learns && {
            changes: { saveEvery: saveEvery ?? usualSaves(request.settings.steps) },
          }),
        });
        return;
      }
      await runJob(host, options, checkpoint, async context => {
        const { grow } = await import('../../run/grow/grow');
        await grow(context, { ...request, data: await dataOf(checkpoint, options) });
      });
    },
  );
}
