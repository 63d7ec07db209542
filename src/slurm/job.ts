/** What a job asks of the cluster; what is absent is the cluster's own choice. */
export interface SlurmSettings {
  readonly partition?: string;
  readonly account?: string;
  /** How many, or of a kind: `1`, `a100:1`. */
  readonly gpus?: string;
  /** Of wall clock, as sbatch takes it: minutes, `2:00:00`, `1-12`. */
  readonly time?: string;
  readonly cpusPerTask?: number;
  /** Main memory, as sbatch takes it: `16G`. */
  readonly mem?: string;
  /** Environment modules that are loaded first. */
  readonly modules?: readonly string[];
}

/** A program for Slurm to run, and what it needs to be taken up again. */
export interface SlurmJob {
  readonly name: string;
  /** The file of its folder that sbatch takes. */
  readonly script: 'job.sbatch' | 'gather.sbatch';
  /** Of the job itself, on a file system that the nodes share: script, events, logs. */
  readonly folder: string;
  /** Where the program works: paths may be relative to it. */
  readonly workingFolder: string;
  /** What runs, with its arguments. The first is looked for by its name where a node has no such file. */
  readonly program: readonly [string, ...string[]];
  /** A task for each value of an option, so many at a time; one program where absent. */
  readonly tasks?: {
    readonly option: string;
    readonly values: readonly string[];
    readonly atOnce?: number | undefined;
  };
  /**
   * What the program keeps of its state, for `--resume`. A job that begins again gets this option if that
   * is newer than the job, and one that reaches its time limit begins again if it is newer than its start.
   */
  readonly state: string;
  readonly settings: SlurmSettings;
}

/** The file of a job's folder that says which job it is: `JobRecord`. */
export const recordFile = 'job.json';

/** The file of a job's events, or of one of its tasks. */
export const eventsFile = (task?: number): string =>
  task === undefined ? 'events.jsonl' : `events-${task}.jsonl`;

/** The file of what the program of a job, or of one of its tasks, says beside its events. */
export const logFile = (task?: number): string =>
  task === undefined ? 'worker.log' : `worker-${task}.log`;
