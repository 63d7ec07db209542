import { InterruptedError, UserError } from '../errors';
import { by, lower, resume } from '../remedy/actions';
import { advise, type Remedy } from '../remedy/remedy';
import type { JobEnd, JobState } from './states';

/** How a run ended that did not finish, as far as anybody knows. */
export interface EndedJob {
  readonly id: string;
  /** Undefined where Slurm no longer knows the job. */
  readonly end: JobEnd | undefined;
  /** What the run said last, if it could say something. */
  readonly told?: { readonly message: string; readonly remedy: string } | undefined;
  /** What it, or Slurm on its node, printed last. */
  readonly log?: string;
}

const goOn = advise`${resume()} to go on from what was kept.`;

/** What Slurm did to a job, and what helps. */
const causes: Readonly<Partial<Record<JobEnd, { what: string; remedy: Remedy }>>> = {
  cancelled: { what: 'was cancelled', remedy: goOn },
  timeout: {
    what: 'reached its time limit before it could keep its state',
    remedy: advise`Give it more time${by('jobTime')}, and ${resume()} where a state was kept before.`,
  },
  deadline: { what: 'reached its deadline', remedy: goOn },
  outOfMemory: {
    what: 'was killed because it took more memory than it had asked for',
    remedy: advise`Ask for more${by('jobMemory')}, or ${lower('batch', 'sequenceLength')}.`,
  },
  nodeFailure: {
    what: 'ended because a node failed',
    remedy: advise`${resume()} to go on from what was kept.`,
  },
  preempted: { what: 'had to make room for another job', remedy: goOn },
};

/** Says why a job left no result: what Slurm did to it counts before what the run said of that. */
export function explainJobEnd({ id, end, told, log = '' }: EndedJob): UserError {
  const cause = end && causes[end];
  if (cause) {
    const message = `Job ${id} ${cause.what}.${told ? ` ${told.message}` : ''}`;
    const remedy = told?.remedy ?? cause.remedy;
    return end === 'cancelled'
      ? new InterruptedError(message, remedy)
      : new UserError(message, cause.remedy);
  }
  if (told) return new UserError(told.message, told.remedy);
  const lines = log.trimEnd().split('\n').slice(-3).join(' / ');
  const said = lines === '' ? '' : ` The last it printed: ${lines}`;
  const how = end === undefined ? 'is no longer known to Slurm' : 'failed';
  return new UserError(
    `Job ${id} ${how}, and left no result.${said}`,
    'The log in the job’s folder may say more.',
  );
}

/** Where a job stands, on one line. */
export function describeState(state: JobState): string {
  switch (state.phase) {
    case 'queued':
      return state.reason === '' ? 'queued' : `queued (${state.reason})`;
    case 'running':
      return state.nodes === '' ? 'starting' : `running on ${state.nodes}`;
    case 'ended':
      return endWords[state.end];
  }
}

const endWords: Readonly<Record<JobEnd, string>> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  timeout: 'ended by its time limit',
  outOfMemory: 'out of memory',
  nodeFailure: 'ended by a failure of its node',
  preempted: 'preempted',
  deadline: 'ended by its deadline',
};
