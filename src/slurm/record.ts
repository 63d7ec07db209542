import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { CorruptFileError, UserError } from '../errors';
import { ifThere, readOwnText } from '../files';
import { recordFile, type SlurmJob } from './job';
import { sbatchScript, scriptPath } from './script';

const jobId = z.string().check(z.regex(/^\d{1,20}$/));

/** `job.json`: which jobs make an output. */
const jobRecord = z.object({
  version: z.literal(1),
  /** The job whose end is the run's. */
  job: jobId,
  /** A job of one task for each part, which that one waits for. */
  parts: z.exactOptional(
    z.object({
      job: jobId,
      tasks: z.array(z.string()).check(z.minLength(1), z.maxLength(100_000)),
    }),
  ),
  /** What a rate of the run counts. */
  unit: z.enum(['tokens', 'images', 'texts']),
});

export type JobRecord = z.infer<typeof jobRecord>;

/** Bytes of a record at most; one names each task. */
const largestRecord = 1 << 22;

/** The folder beside an output that holds the job which makes it. */
export const jobFolder = (out: string): string =>
  join(dirname(resolve(out)), `${basename(resolve(out))}.job`);

/** The jobs that make, or made, an output; undefined where none was submitted. @throws UserError */
export async function readJobRecord(out: string): Promise<JobRecord | undefined> {
  const folder = jobFolder(out);
  const text = await ifThere(readOwnText(folder, recordFile, largestRecord));
  if (text === undefined) return undefined;
  try {
    return jobRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new CorruptFileError(
      `${join(folder, recordFile)} is damaged.`,
      `Look for the job with squeue, then remove ${folder}.`,
      { cause },
    );
  }
}

/** Keeps which jobs make an output, whole or not at all. */
export async function writeJobRecord(out: string, record: JobRecord): Promise<void> {
  const path = join(jobFolder(out), recordFile);
  await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** Names of what a job leaves in its folder. */
const own =
  /^(gather\.sbatch|job\.(sbatch|json(\.new)?)|(events|worker)(-\d+)?\.(jsonl|log)|started(-\d+)?)$/;

/** Makes the folder of a new job, in place of that of an earlier one. @throws UserError when it is none */
export async function makeJobFolder(out: string): Promise<string> {
  const folder = jobFolder(out);
  const found = await ifThere(stat(folder));
  const names = found?.isDirectory() ? await readdir(folder) : [];
  const foreign = names.find(name => !own.test(name));
  if (found && (!found.isDirectory() || foreign !== undefined)) {
    throw new UserError(
      `${foreign === undefined ? folder : join(folder, foreign)} is in the way of a job’s files.`,
      'Move it away, or choose another output folder.',
    );
  }
  for (const name of names) await rm(join(folder, name));
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Writes the script that sbatch takes. */
export const writeScript = (job: SlurmJob): Promise<void> =>
  writeFile(scriptPath(job), sbatchScript(job), { flag: 'wx', mode: 0o755 });
