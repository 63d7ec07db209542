import { join } from 'node:path';
import { eventsFile, logFile, type SlurmJob } from './job';
import { sbatchOptions } from './settings';

/** Seconds before its time limit that a job is told of it. */
const secondsToSave = 60;

/** A text as one word of a shell, whatever is in it. */
const word = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A name as lists of jobs show it: neither spaces nor marks that a shell or Slurm reads. */
const jobName = (name: string): string => name.replace(/[^\w.-]+/g, '-').slice(0, 60) || 'ligo';

/** The name of a job's log, as sbatch fills it in. */
export const logPattern = ({ tasks }: Pick<SlurmJob, 'tasks'>): string =>
  tasks ? logFile().replace('.', '-%a.') : logFile();

const arrayOf = ({ values, atOnce }: NonNullable<SlurmJob['tasks']>): string =>
  `--array=0-${values.length - 1}${atOnce === undefined ? '' : `%${atOnce}`}`;

/**
 * The file that sbatch takes. Texts of a person stand in it as words of the shell, never in its head: that
 * has a name and settings of known forms alone. Slurm tells all processes of a job to end when it is
 * cancelled, requeued or preempted, so the shell waits then; of the time limit it tells the shell alone,
 * which stops the program and has the job begin again if that kept its state.
 */
export function sbatchScript(job: SlurmJob): string {
  const { name, script, folder, workingFolder, program, tasks, state, settings } = job;
  const [command, ...words] = program;
  const suffix = tasks ? '-$SLURM_ARRAY_TASK_ID' : '';
  const head = [
    `--job-name=${jobName(name)}`,
    `--output=${logPattern(job)}`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:USR1@${secondsToSave}`,
    '--nodes=1',
    '--ntasks=1',
    ...(tasks ? [arrayOf(tasks)] : []),
    ...sbatchOptions(settings),
  ];
  const { modules = [] } = settings;
  const load = [
    'type module > /dev/null 2>&1 || . /etc/profile',
    `module load ${modules.map(word).join(' ')} || exit 1`,
  ];
  const lines = [
    '#!/bin/bash',
    ...head.map(option => `#SBATCH ${option}`),
    '',
    `folder=${word(folder)}`,
    `state=${word(state)}`,
    `command=${word(command)}`,
    ...(tasks ? [`tasks=(${tasks.values.map(word).join(' ')})`] : []),
    ...(modules.length > 0 ? load : []),
    '[ -x "$command" ] || command=${command##*/}',
    `cd -- ${word(workingFolder)} || exit 1`,
    '',
    '# Begun again, the program goes on from what it kept.',
    'again=()',
    `if [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ] && [ "$state" -nt "$folder/${script}" ]; then`,
    '  again=(--resume)',
    'fi',
    `started="$folder/started${suffix}"`,
    ': > "$started" || exit 1',
    '',
    'program=',
    'limit=',
    'stop() {',
    '  [ -z "$program" ] || kill -TERM "$program"',
    '}',
    "trap 'limit=reached; stop' USR1",
    'trap : TERM',
    `"$command" ${[
      ...words.map(word),
      ...(tasks ? [word(tasks.option), '"${tasks[$SLURM_ARRAY_TASK_ID]}"'] : []),
    ].join(' ')} "\${again[@]}" >> "$folder/${eventsFile().replace('.', `${suffix}.`)}" &`,
    'program=$!',
    '[ -z "$limit" ] || stop',
    '# A wait for the program itself can sleep through a signal that comes as it begins.',
    'while kill -0 "$program" 2> /dev/null; do sleep 1 & wait "$!"; done',
    'wait "$program"',
    'code=$?',
    '',
    '# Stopped for the time limit with its state kept, it waits for its next turn.',
    'if [ -n "$limit" ] && [ "$code" -eq 130 ] && [ "$state" -nt "$started" ]; then',
    '  scontrol requeue "$SLURM_JOB_ID"',
    'fi',
    'exit "$code"',
  ];
  return `${lines.join('\n')}\n`;
}

/** Where the script of a job lies. */
export const scriptPath = ({ folder, script }: Pick<SlurmJob, 'folder' | 'script'>): string =>
  join(folder, script);
