import type { Command } from 'commander';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import {
  addEngineOptions,
  addFormatOptions,
  addOutOptions,
  addOutputOptions,
  addTargetOptions,
  ggufOf,
  outOf,
  targetOf,
  type FormatOptions,
  type OutOptions,
  type TargetOptions,
} from '../options';

type ApplyOptions = JobOptions &
  TargetOptions &
  OutOptions &
  FormatOptions & { readonly operators: string };

/** `ligo apply`: grows by operators that were learned before. */
export function addApplyCommand(program: Command, host: Host): void {
  const command = program
    .command('apply <checkpoint>')
    .description('grow a checkpoint by operators that were learned before')
    .requiredOption('--operators <file>', 'operators.safetensors, ours or the released code’s');
  addTargetOptions(command);
  addEngineOptions(addFormatOptions(addOutOptions(command)));
  addOutputOptions(command).action(async (checkpoint: string, options: ApplyOptions) => {
    const request = {
      checkpoint,
      target: targetOf(options),
      operators: options.operators,
      ...outOf(options),
      gguf: ggufOf(options),
    };
    await runJob(host, options, checkpoint, async context => {
      const { apply } = await import('../../run/grow/apply');
      await apply(context, request);
    });
  });
}
