import { attendJob } from '../remedy/actions';
import { advise } from '../remedy/remedy';
import { UsageError } from '../errors';
import { readJobRecord, type JobRecord } from './record';
import type { Slurm } from './slurm';
import type { TaskState } from './states';

/** All jobs of a record, in the order in which they end. */
export const idsOf = ({ job, parts }: JobRecord): readonly [string, ...string[]] =>
  parts ? [parts.job, job] : [job];

/** Whether anything of a job waits or runs. */
const isLive = (states: readonly TaskState[]): boolean =>
  states.some(({ state }) => state.phase !== 'ended');

/** Throws UsageError while a job makes an output already. */
export async function requireNoLiveJob(slurm: Slurm, out: string): Promise<void> {
  const record = await readJobRecord(out);
  if (!record) return;
  for (const id of idsOf(record)) {
    if (!isLive(await slurm.look(id))) continue;
    throw new UsageError(`Job ${id} makes ${out} already.`, advise`${attendJob}.`);
  }
}
