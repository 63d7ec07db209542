import type { Command } from 'commander';
import { launchers, type Launcher } from '../../protocol/handoff';
import { commandLine } from '../../remedy/commandLine';
import { worded } from '../../remedy/worded';
import type { Told } from '../../protocol/told';
import { addDataOptions, cutOf, type DataFlags } from '../dataOptions';
import { formatLoss } from '../format';
import { printLine, type Host } from '../host';
import {
  addOptimizerStateOption,
  addOption,
  addOutputOptions,
  takes,
  type OutputOptions,
  type StepOptions,
} from '../options';
import { warn } from '../reporter';

type HandoffOptions = OutputOptions &
  Partial<StepOptions> &
  Omit<DataFlags, 'seed'> & {
    readonly to: Launcher;
    readonly out: string;
    readonly overwrite?: boolean;
    readonly seed?: number;
    readonly evaluateEvery?: number;
    readonly optimizerState?: 'continue' | 'reset';
    readonly nodes: number;
    readonly gpus: number;
    readonly gpuMemory: number;
    readonly partition?: string;
    readonly time?: string;
    readonly account?: string;
  };

/** `ligo handoff`: a project that trains on in PyTorch. */
export function addHandoffCommand(program: Command, host: Host): void {
  const command = program
    .command('handoff <checkpoint>')
    .description('write a project that trains a checkpoint on in PyTorch')
    .requiredOption('--out <folder>', 'folder to write; whole or absent')
    .option('--overwrite', 'replace the folder if it exists');
  addOption(command, '--to <launcher>', launchers.join(', '), takes.word(launchers), 'torchrun');
  addDataOptions(command);
  addTrainingOptions(command);
  addMachineOptions(command);
  addOutputOptions(command).action(async (checkpoint: string, options: HandoffOptions) => {
    const { handOff } = await import('../../run/handoff/handoff');
    const { nodes, gpus, gpuMemory, partition, time, account, out } = options;
    const data = { ...(await cutOf(checkpoint, options)), data: options.data };
    const result = await handOff(
      {
        checkpoint,
        to: options.to,
        out,
        overwrite: options.overwrite ?? false,
        data,
        seed: options.seed,
        steps: options.steps,
        learningRate: options.learningRate,
        warmup: options.warmup,
        weightDecay: options.weightDecay,
        accumulate: options.accumulate,
        recompute: options.recompute,
        schedule: options.schedule,
        evaluateEvery: options.evaluateEvery,
        optimizerState: options.optimizerState === 'continue' ? 'use' : options.optimizerState,
        machines: { nodes, gpus, gpuBytes: gpuMemory },
        slurm: { partition, time, account },
      },
      host.signal,
    );
    const notes = result.notes.map(note => worded<Told>(note, commandLine));
    for (const note of notes) warn(host, note);
    if (options.json) {
      printLine(host, JSON.stringify({ ...result, notes }));
      return;
    }
    const { expected } = result;
    printLine(host, result.memory);
    if (expected) {
      printLine(
        host,
        `The first held-out loss there is to be ${formatLoss(expected.loss)}, as in ${expected.from}.`,
      );
    }
    printLine(host, `Wrote ${out}: ${result.files.join(', ')}. Read its README.md.`);
  });
}

/** How to train; what is left out is in the checkpoint's receipt. */
function addTrainingOptions(command: Command): void {
  addOption(command, '--steps <n>', 'training steps', takes.count);
  addOption(command, '--rate, --learning-rate <rate>', 'peak learning rate', takes.rate);
  addOption(command, '--warmup <n>', 'steps of warm-up; by default a tenth', takes.countOrNone);
  addOption(command, '--weight-decay <amount>', 'AdamW weight decay', takes.amount);
  addOption(command, '--accumulate <n>', 'batches whose gradients make one update', takes.count);
  command.option('--recompute', 'compute activations twice instead of keeping them');
  const schedules = takes.word(['constant', 'linear', 'cosine'] as const);
  addOption(command, '--schedule <kind>', 'constant, linear or cosine', schedules);
  addOption(command, '--evaluate-every <n>', 'steps between evaluations', takes.count);
  addOption(command, '--seed <n>', 'decides all that is random', takes.countOrNone);
  addOptimizerStateOption(command);
}

function addMachineOptions(command: Command): void {
  addOption(command, '--gpus <n>', 'GPUs in a machine', takes.count, 1);
  addOption(command, '--nodes <n>', 'machines', takes.count, 1);
  addOption(command, '--gpu-memory <size>', 'of each GPU', takes.bytes, 80e9);
  command
    .option('--partition <name>', 'of Slurm')
    .option('--time <limit>', 'of Slurm, such as 24:00:00')
    .option('--account <name>', 'of Slurm');
}
