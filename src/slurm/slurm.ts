import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { UnsupportedError, UserError } from '../errors';
import { findProgram, type ProgramSearch } from '../programs';
import type { SlurmJob } from './job';
import { logPattern, scriptPath } from './script';
import { sbatchOptions } from './settings';
import {
  parseSacct,
  parseSqueue,
  parseSubmitted,
  sacctFormat,
  squeueFormat,
  type TaskState,
} from './states';

/** The cluster that this machine submits to, by Slurm's own programs. */
export interface Slurm {
  /** Hands a job over whose script is written; gives its number. @param after waits until that job ended */
  submit(job: SlurmJob, after?: string): Promise<string>;
  /**
   * The states of a job's tasks; none where Slurm no longer knows the job.
   * @throws UserError when Slurm cannot be asked now
   */
  look(id: string): Promise<readonly TaskState[]>;
  /** Ends a job; one that ended is left as it is. */
  cancel(id: string): Promise<void>;
}

/** Milliseconds that a program of Slurm's may take. */
const patience = 60_000;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Slurm's programs along the PATH. */
export function openSlurm(search: ProgramSearch = {}): Slurm {
  const run = async (name: string, args: readonly string[], folder?: string): Promise<Ran> => {
    const path = findProgram(name, search);
    if (path === undefined) throw noSlurm(name);
    return new Promise<Ran>((resolve, reject) => {
      const options = {
        ...(folder !== undefined && { cwd: folder }),
        ...(search.environment && { env: search.environment }),
        timeout: patience,
        maxBuffer: 1 << 26,
      };
      execFile(path, [...args], options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number' && !error.killed)
          reject(new Error(`${name} did not start`, { cause: error }));
        else resolve({ code: error ? (error.code as number | null) : 0, stdout, stderr });
      });
    });
  };
  return {
    async submit(job, after) {
      const { code, stdout, stderr } = await run(
        'sbatch',
        [
          '--parsable',
          // In the script too; only here they count before SBATCH_… of the environment.
          ...sbatchOptions(job.settings),
          // Slurm reads what follows a % in the name of the folder, too.
          `--output=${join(job.folder.replaceAll('%', '%%'), logPattern(job))}`,
          ...(after === undefined ? [] : [`--dependency=afterany:${after}`]),
          scriptPath(job),
        ],
        job.folder,
      );
      const id = code === 0 ? parseSubmitted(stdout) : undefined;
      if (id !== undefined) return id;
      throw new UserError(
        `Slurm did not take the job: ${told(stderr, stdout, 'sbatch')}.`,
        'Mend what it names, and submit the job again.',
      );
    },
    async look(id) {
      const queue = await run('squeue', [
        ...['--noheader', '--array', '--states=all', `--jobs=${id}`],
        `--format=${squeueFormat}`,
      ]);
      if (queue.code === 0) {
        const states = parseSqueue(queue.stdout, id);
        if (states.length > 0) return states;
      } else if (!/invalid job id/i.test(queue.stderr)) {
        throw new UserError(
          `Slurm cannot be asked: ${told(queue.stderr, '', 'squeue')}.`,
          'The job goes on without it; ask again later.',
        );
      }
      // It ended a while ago. Many clusters keep no accounts; then nothing more is known.
      if (findProgram('sacct', search) === undefined) return [];
      const accounts = await run('sacct', [
        ...['--noheader', '--parsable2', '--allocations', `--jobs=${id}`],
        `--format=${sacctFormat}`,
      ]);
      return accounts.code === 0 ? parseSacct(accounts.stdout, id) : [];
    },
    async cancel(id) {
      const { code, stderr } = await run('scancel', [id]);
      if (code === 0 || /invalid job id|already completing|already completed/i.test(stderr)) return;
      throw new UserError(
        `Slurm did not cancel job ${id}: ${told(stderr, '', 'scancel')}.`,
        `Try again: scancel ${id}`,
      );
    },
  };
}

const noSlurm = (name: string): UserError =>
  new UnsupportedError(
    `There is no Slurm here: ${name} is not found along the PATH.`,
    'Submit from a machine of the cluster, such as its login node.',
  );

/** What a program of Slurm's said, on one line. */
function told(stderr: string, stdout: string, name: string): string {
  const lines = `${stderr}\n${stdout}`.split('\n').map(line => line.trim());
  const said = lines
    .filter(line => line !== '')
    .map(line => line.replace(new RegExp(`^${name}: (error: )?`), '').replace(/\.$/, ''))
    .slice(0, 3)
    .join('; ');
  return said || `${name} said nothing`;
}
