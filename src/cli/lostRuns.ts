import { UserError } from '../errors';
import type { MakeElsewhere } from '../run/compare/compare';
import { runsOf, type CompareRequest } from '../run/compare/request';
import { explainJobEnd } from '../slurm/explain';
import { readJobRecord } from '../slurm/record';
import { openSlurm } from '../slurm/slurm';
import type { TaskState } from '../slurm/states';
import { commandLine } from '../remedy/commandLine';
import { inWords } from '../remedy/remedy';

/** Tells of runs that others were to make why they left nothing, as far as Slurm knows. */
export function lostRuns(out: string, request: CompareRequest): MakeElsewhere {
  const names = runsOf(request);
  let asked: Promise<{ id: string; states: readonly TaskState[] } | undefined> | undefined;
  return async ({ method, seed }) => {
    asked ??= askSlurm(out);
    const found = await asked;
    const remedy = 'Look into the log of its process, and make it again.';
    if (!found) return { message: 'Its process left no result.', remedy };
    const task = names.findIndex(name => name.method === method && name.seed === seed);
    const state = found.states.find(each => each.task === task)?.state;
    if (state?.phase !== 'ended') {
      const message = `Task ${task} of job ${found.id} left no result, and Slurm does not know it: it was cancelled before it began, or long ago.`;
      return { message, remedy };
    }
    const failure = explainJobEnd({ id: `${found.id}_${task}`, end: state.end });
    return { message: failure.message, remedy: inWords(failure.remedy, commandLine) };
  };
}

/** The states of the job that made the runs; undefined where there was none, or nobody knows. */
async function askSlurm(out: string) {
  try {
    const parts = (await readJobRecord(out))?.parts;
    return parts && { id: parts.job, states: await openSlurm().look(parts.job) };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
