import type { Command } from 'commander';
import { UsageError } from '../../errors';
import { idsOf } from '../../slurm/live';
import { jobFolder, readJobRecord } from '../../slurm/record';
import { openSlurm } from '../../slurm/slurm';
import { describeStates, followRun } from '../following';
import { printLine, type Host } from '../host';
import { addOutputOptions, type OutputOptions } from '../options';

/** `ligo job`: where a run stands that was handed to a cluster. */
export function addJobCommand(program: Command, host: Host): void {
  const command = program
    .command('job <out>')
    .description('show, follow or cancel the job that makes an output folder (--submit)')
    .option('--wait', 'follow it to its end; Ctrl-C cancels it')
    .option('--cancel', 'cancel it');
  type JobOptions = OutputOptions & { readonly wait?: boolean; readonly cancel?: boolean };
  addOutputOptions(command).action(async (out: string, options: JobOptions) => {
    if (options.wait && options.cancel) {
      throw new UsageError('--wait and --cancel are both given.', 'Give one of them.');
    }
    const record = await readJobRecord(out);
    if (!record) {
      throw new UsageError(
        `There is no job in ${jobFolder(out)}.`,
        'Name the --out folder of a run that was submitted.',
      );
    }
    const slurm = openSlurm();
    if (options.wait) {
      await followRun(host, { ...options, out, slurm, record });
      return;
    }
    if (options.cancel) for (const id of idsOf(record).toReversed()) await slurm.cancel(id);
    for (const id of idsOf(record)) {
      const states = await slurm.look(id);
      if (options.json) printLine(host, JSON.stringify({ job: id, states }));
      else printLine(host, `Job ${id}: ${describeStates(states)}.`);
    }
  });
}
