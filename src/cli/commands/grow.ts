import type { Command } from 'commander';
import { growthMethodNames, type GrowthMethodName } from '../../growth/methods';
import { addDataOptions, dataOf, type DataFlags } from '../dataOptions';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import { addLigoOptions, ligoSettingsOf, type LigoOptions } from '../ligoOptions';
import {
  addEngineOptions,
  addOption,
  addOutOptions,
  addOutputOptions,
  addSeedOption,
  addTargetOptions,
  outOf,
  saveEveryHelp,
  takes,
  targetOf,
  type OutOptions,
  type TargetOptions,
} from '../options';

type GrowOptions = JobOptions &
  TargetOptions &
  OutOptions &
  DataFlags &
  LigoOptions & {
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
  addOutOptions(command).option('--resume', 'go on with a run that was stopped');
  addOutputOptions(command).action(async (checkpoint: string, options: GrowOptions) => {
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
    };
    await runJob(host, options, checkpoint, async context => {
      const { grow } = await import('../../run/grow/grow');
      await grow(context, { ...request, data: await dataOf(checkpoint, options) });
    });
  });
}
