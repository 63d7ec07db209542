import { harmless } from '../harmless';

/** How a job, or a task of one, ended. */
export type JobEnd =
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'timeout'
  | 'outOfMemory'
  | 'nodeFailure'
  | 'preempted'
  | 'deadline';

/** Where a job, or a task of one, stands. */
export type JobState =
  | { readonly phase: 'queued'; readonly reason: string }
  | { readonly phase: 'running'; readonly nodes: string }
  | { readonly phase: 'ended'; readonly end: JobEnd };

/** A job or a task of one, by its number in the job. */
export interface TaskState {
  readonly task: number | undefined;
  readonly state: JobState;
}

const ends: Readonly<Record<string, JobEnd>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  LAUNCH_FAILED: 'failed',
  CANCELLED: 'cancelled',
  REVOKED: 'cancelled',
  TIMEOUT: 'timeout',
  OUT_OF_MEMORY: 'outOfMemory',
  NODE_FAIL: 'nodeFailure',
  BOOT_FAIL: 'nodeFailure',
  PREEMPTED: 'preempted',
  DEADLINE: 'deadline',
};

/** States in which a job holds nodes; in all others that are no end it waits. */
const running = new Set([
  'RUNNING',
  'COMPLETING',
  'CONFIGURING',
  'RESIZING',
  'SIGNALING',
  'STAGE_OUT',
]);

/** A state as Slurm writes it; sacct adds who cancelled: `CANCELLED by 0`. */
function stateOf(written: string, nodes: string, reason: string): JobState {
  const [state = ''] = written.split(/[ +]/);
  const end = ends[state];
  if (end) return { phase: 'ended', end };
  if (running.has(state)) return { phase: 'running', nodes: shown(nodes) };
  return { phase: 'queued', reason: shown(reason) };
}

/** Where Slurm has nothing to say. */
const shown = (text: string): string =>
  text === 'None' || text === 'None assigned' || text === '(null)' ? '' : harmless(text);

const taskOf = (text: string): number | undefined =>
  /^\d+$/.test(text) ? Number(text) : undefined;

/** What squeue is asked to print, one line a task. The reason comes last: nobody knows all of them. */
export const squeueFormat = '%F|%K|%T|%N|%r';

/** The states of a job's tasks as squeue prints them. */
export const parseSqueue = (text: string, job: string): readonly TaskState[] =>
  linesOf(text).flatMap(line => {
    const [id, task = '', state = '', nodes = '', ...reason] = line.split('|');
    if (id !== job) return [];
    return [{ task: taskOf(task), state: stateOf(state, nodes, reason.join('|')) }];
  });

/** What sacct is asked to print. */
export const sacctFormat = 'JobID,State,NodeList';

/** The states of a job's tasks as sacct prints them (`--parsable2 --allocations`). */
export const parseSacct = (text: string, job: string): readonly TaskState[] =>
  linesOf(text).flatMap(line => {
    const [id = '', state = '', nodes = ''] = line.split('|');
    const [of, task = ''] = id.split('_');
    if (of !== job) return [];
    return tasksOf(task).map(number => ({ task: number, state: stateOf(state, nodes, '') }));
  });

/** Most tasks of a list, which are those of a comparison. */
const mostTasks = 10_000;

/** Tasks that wait come together: `[2-5,7%2]`. */
function tasksOf(text: string): readonly (number | undefined)[] {
  const [, list] = /^\[([\d,-]+)(?:%\d+)?\]$/.exec(text) ?? [];
  if (list === undefined) return [taskOf(text)];
  return list
    .split(',')
    .flatMap(range => {
      const [from, to = from] = range.split('-').map(Number);
      const count = Math.min(mostTasks, to! - from! + 1);
      return Array.from({ length: Math.max(0, count) }, (_, at) => from! + at);
    })
    .slice(0, mostTasks);
}

const linesOf = (text: string): string[] => text.split('\n').filter(line => line !== '');

/** The number that `sbatch --parsable` prints, before the name of the cluster; undefined for anything else. */
export const parseSubmitted = (text: string): string | undefined =>
  /^(\d+)(;[\w.-]+)?\s*$/.exec(text)?.[1];
