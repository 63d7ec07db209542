import type { Command } from 'commander';
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
  takes,
  targetOf,
  type OutOptions,
  type TargetOptions,
} from '../options';

/** As in src/run/makeLarge.ts, which is not loaded before it is needed. */
const methods = ['ligo', 'stack', 'random'] as const;

type GrowOptions = JobOptions &
  TargetOptions &
  OutOptions &
  DataFlags &
  LigoOptions & { readonly method: (typeof methods)[number]; readonly resume?: boolean };

/** `ligo grow`: the main job. */
export function addGrowCommand(program: Command, host: Host): void {
  const command = program.command('grow <checkpoint>').description('grow a checkpoint');
  addDataOptions(addTargetOptions(command));
  addOption(command, '--method <name>', methods.join(', '), takes.word(methods), 'ligo');
  addLigoOptions(command);
  addEngineOptions(addSeedOption(command));
  addOutOptions(command).option('--resume', 'go on with a run that was stopped');
  addOutputOptions(command).action(async (checkpoint: string, options: GrowOptions) => {
    const { method, seed, resume = false } = options;
    const request = {
      ...{ checkpoint, target: targetOf(options), method, seed, resume },
      ...{ settings: ligoSettingsOf(options), ...outOf(options) },
    };
    await runJob(host, options, checkpoint, async context => {
      const { grow } = await import('../../run/grow');
      await grow(context, { ...request, data: await dataOf(checkpoint, options) });
    });
  });
}
