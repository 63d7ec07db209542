import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { runStateFolder } from '../run/stop/runState';
import { openOutputFolder } from '../checkpoint/outputFolder';
import { UsageError } from '../errors';
import { explainReadError } from '../files';
import type { SlurmJob, SlurmSettings } from '../slurm/job';
import { requireNoLiveJob } from '../slurm/live';
import { jobFolder, makeJobFolder, writeJobRecord, writeScript } from '../slurm/record';
import type { JobRecord } from '../slurm/record';
import { moduleNames, slurmText } from '../slurm/settings';
import { openSlurm } from '../slurm/slurm';
import { argumentsOf, shellLine, type OptionValues } from './commandLine';
import type { DataFlags } from './dataOptions';
import { followRun } from './following';
import { printLine, type Host } from './host';
import { rateUnit, type JobOptions } from './job';
import { addOption, takes } from './options';
import type { Parse } from './values';

/** Options that hand a run over to a cluster. */
export interface SubmitOptions {
  readonly submit?: boolean;
  readonly wait?: boolean;
  readonly partition?: string;
  readonly account?: string;
  readonly gpus?: string;
  readonly time?: string;
  readonly cpusPerTask?: number;
  readonly mem?: string;
  readonly modules?: readonly string[];
}

/** A command that can be submitted. */
type SubmittedOptions = JobOptions &
  SubmitOptions &
  Pick<DataFlags, 'data' | 'evalData'> & {
    readonly out: string;
    readonly overwrite?: boolean;
  };

/** Adds the options that hand a run over to a cluster, named as sbatch names them. */
export function addSubmitOptions(command: Command): Command {
  const text = (setting: Parameters<typeof slurmText>[0]) => (option: string) => (value: string) =>
    slurmText(setting, option, value);
  command
    .option('--submit', 'hand the run to Slurm instead of running it here')
    .option('--wait', 'with --submit: follow the job to its end; Ctrl-C cancels it');
  addOption(command, '--partition <names>', 'with --submit: as sbatch takes it', text('partition'));
  addOption(command, '--account <name>', 'with --submit: as sbatch takes it', text('account'));
  addOption(command, '--gpus <n>', 'with --submit: as sbatch takes it', text('gpus'));
  addOption(command, '--time <limit>', 'with --submit: as sbatch takes it', text('time'));
  const cpus = 'with --submit: as sbatch takes it; also --threads';
  addOption(command, '--cpus-per-task <n>', cpus, takes.count);
  addOption(command, '--mem <size>', 'with --submit: as sbatch takes it', text('mem'));
  const modules =
    (option: string): Parse<readonly string[]> =>
    names =>
      moduleNames(
        option,
        names.split(',').map(name => name.trim()),
      );
  return addOption(command, '--modules <list>', 'with --submit: modules to load first', modules);
}

/** The names of the options above, as commander keeps their values. */
const ownOptions = [
  ...['submit', 'wait', 'partition', 'account', 'gpus', 'time'],
  ...['cpusPerTask', 'mem', 'modules'],
] as const;

/** What of a call is not repeated by the job it makes. */
const notRepeated: OptionValues = {
  ...Object.fromEntries(ownOptions.map(name => [name, undefined])),
  verbose: undefined,
  json: true,
};

/** The options that say what a job needs, without those that commander adds. */
const settingsOf = (options: SubmitOptions & JobOptions): SlurmSettings => {
  const { partition, account, gpus, time, mem, modules } = options;
  const cpusPerTask = options.cpusPerTask ?? options.threads;
  return {
    ...(partition !== undefined && { partition }),
    ...(account !== undefined && { account }),
    ...(gpus !== undefined && { gpus }),
    ...(time !== undefined && { time }),
    ...(cpusPerTask !== undefined && { cpusPerTask }),
    ...(mem !== undefined && { mem }),
    ...(modules !== undefined && { modules }),
  };
};

/** What a growth or a training that goes to `out` keeps of its state. */
export const stateFile = (out: string): string => join(runStateFolder(resolve(out)), 'run.json');

/** Steps between saves of a state where nobody said: a node may fail, and Slurm begins the job again. */
export const usualSaves = (steps: number): number => Math.ceil(steps / 10);

/** A call of ours that becomes a job. */
export interface Submission {
  readonly command: Command;
  readonly checkpoint: string;
  readonly options: SubmittedOptions;
  /** What its program keeps of its state. */
  readonly state: string;
  /** Options that the job has beside those of the call. */
  readonly changes?: OptionValues;
  /** One task for each part, whose job the one above then waits for; they have these options. */
  readonly parts?: {
    readonly option: string;
    readonly values: readonly string[];
    readonly atOnce: number | undefined;
    readonly changes: OptionValues;
  };
  /** Checks and prepares what only this command knows, before anything is written. */
  readonly prepare?: () => Promise<void>;
}

/** Whether a call is to be handed over. Throws UsageError where it says how but not that. */
export function isSubmitted(command: Command, options: SubmitOptions): boolean {
  if (options.submit) return true;
  const given = ownOptions.find(name => options[name] !== undefined);
  if (given === undefined) return false;
  const flag = command.options.find(option => option.attributeName() === given)!.long!;
  throw new UsageError(`${flag} says nothing without --submit.`, 'Give both, or leave both out.');
}

/** Hands a run over to Slurm, says so, and follows it where that is asked for. */
export async function submitRun(host: Host, submission: Submission): Promise<void> {
  const { command, checkpoint, options, state, parts } = submission;
  const { out, overwrite = false } = options;
  const slurm = openSlurm();
  const unit = await rateUnit(checkpoint);
  await requireReadable(options);
  await requireNoLiveJob(slurm, out);
  await (await openOutputFolder(out, { overwrite })).discard();
  await submission.prepare?.();
  const folder = await makeJobFolder(out);
  const threads = options.threads ?? options.cpusPerTask;
  const jobOf = (script: SlurmJob['script'], changes: OptionValues): SlurmJob => ({
    name: `ligo-${basename(resolve(out))}`,
    script,
    folder,
    workingFolder: process.cwd(),
    program: [
      process.execPath,
      ...process.execArgv,
      host.script,
      ...argumentsOf(command, { ...notRepeated, threads, ...changes }),
    ],
    state,
    settings: settingsOf(options),
  });
  const handOver = async (): Promise<JobRecord> => {
    if (parts) {
      const { changes, ...tasks } = parts;
      const many = { ...jobOf('job.sbatch', changes), tasks };
      const last = jobOf('gather.sbatch', submission.changes ?? {});
      await writeScript(many);
      await writeScript(last);
      const id = await slurm.submit(many);
      const gather = await slurm.submit(last, id).catch(async (error: unknown) => {
        await slurm.cancel(id);
        throw error;
      });
      return { version: 1, job: gather, parts: { job: id, tasks: [...tasks.values] }, unit };
    }
    const job = jobOf('job.sbatch', submission.changes ?? {});
    await writeScript(job);
    return { version: 1, job: await slurm.submit(job), unit };
  };
  const record = await handOver().catch(async (error: unknown) => {
    // What Slurm did not take is no job.
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  await writeJobRecord(out, record);
  if (options.wait) {
    if (!options.json) printLine(host, describeSubmitted(record));
    await followRun(host, { ...options, slurm, record });
    return;
  }
  if (options.json) printLine(host, JSON.stringify({ ...record, folder }));
  else printLine(host, `${describeSubmitted(record)}\n${describeNext(out, record)}`);
}

/** Data is looked for before a job waits for hours to say that it is not there. */
async function requireReadable({ data, evalData }: SubmittedOptions): Promise<void> {
  for (const path of [data, evalData]) {
    if (path === undefined) continue;
    await stat(path).catch((error: unknown) => {
      throw explainReadError(error, path);
    });
  }
}

const describeSubmitted = ({ job, parts }: JobRecord): string =>
  parts
    ? `Submitted job ${parts.job}, one task for each of ${parts.tasks.length} runs, and job ${job}, which gathers them.`
    : `Submitted job ${job}.`;

const describeNext = (out: string, { job, parts }: JobRecord): string => {
  const line = (...words: string[]): string => shellLine(['ligo', 'job', out, ...words]);
  const ids = [job, ...(parts ? [parts.job] : [])].join(' ');
  return [
    `  follow it  ${line('--wait')}`,
    `  cancel it  ${line('--cancel')}   (or scancel ${ids})`,
    `  its files  ${jobFolder(out)}`,
  ].join('\n');
};
