import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import { followJob } from '../../../src/slurm/follow';
import type { SlurmJob } from '../../../src/slurm/job';
import { openSlurm, type Slurm } from '../../../src/slurm/slurm';
import type { TaskState } from '../../../src/slurm/states';

const folders: string[] = [];
after(() => folders.forEach(folder => rmSync(folder, { recursive: true })));

describe('Slurm’s programs', { skip: process.platform === 'win32' && 'they are scripts' }, () => {
  let folder: string;
  let slurm: Slurm;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ligo-slurm-'));
    folders.push(folder);
    slurm = openSlurm({ environment: { PATH: folder } });
  });
  /** Puts a program in place of Slurm's that notes its arguments. */
  const program = (name: string, body: string): void => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/bash\nprintf '%s\\n' "$@" > '${path}.args'\n${body}\n`);
    chmodSync(path, 0o755);
  };
  const argumentsOf = (name: string): string[] =>
    readFileSync(join(folder, `${name}.args`), 'utf8')
      .trimEnd()
      .split('\n');
  const job = (): SlurmJob => ({
    name: 'x',
    script: 'job.sbatch',
    folder,
    workingFolder: folder,
    program: ['node'],
    state: join(folder, 'state'),
    settings: { partition: 'gpu', time: '10' },
  });

  it('are given what a job needs, before what the environment says', async () => {
    program('sbatch', 'echo "12;here"');
    assert.equal(await slurm.submit(job(), '11'), '12');
    assert.deepEqual(argumentsOf('sbatch'), [
      '--parsable',
      ...['--partition=gpu', '--time=10', `--output=${join(folder, 'worker.log')}`],
      ...['--dependency=afterany:11', join(folder, 'job.sbatch')],
    ]);
  });

  it('are quoted where they refuse', async () => {
    program('sbatch', 'echo "sbatch: error: invalid partition specified: gpu" >&2; exit 1');
    await assert.rejects(slurm.submit(job()), /did not take the job: invalid partition specified/);
  });

  it('are asked one after the other: accounts know what the queue forgot', async () => {
    program('squeue', 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1');
    assert.deepEqual(await slurm.look('9'), []);
    program('sacct', 'echo "9|OUT_OF_MEMORY|n1"');
    assert.deepEqual(await slurm.look('9'), [
      { task: undefined, state: { phase: 'ended', end: 'outOfMemory' } },
    ]);
    program('sacct', 'echo "Slurm accounting storage is disabled" >&2; exit 1');
    assert.deepEqual(await slurm.look('9'), []);
  });

  it('that do not answer are not taken for a job that is gone', async () => {
    program(
      'squeue',
      'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1',
    );
    await assert.rejects(slurm.look('9'), /cannot be asked: .*Unable to contact/);
  });

  it('leave a job that ended as it is', async () => {
    program(
      'scancel',
      'echo "scancel: error: Kill job error on job id 9: Invalid job id specified" >&2; exit 1',
    );
    await slurm.cancel('9');
    program('scancel', 'echo "scancel: error: Access/permission denied" >&2; exit 1');
    await assert.rejects(slurm.cancel('9'), /did not cancel job 9: Access/);
  });

  it('are missed by name, with what to do', async () => {
    await assert.rejects(slurm.submit(job()), /no Slurm here: sbatch is not found/);
  });
});

describe('following a job', () => {
  const queued: TaskState = { task: undefined, state: { phase: 'queued', reason: 'Priority' } };
  const ended: TaskState = { task: undefined, state: { phase: 'ended', end: 'completed' } };
  /** Answers of a cluster, one a question; the last is given again. */
  function answering(...answers: (readonly TaskState[] | UserError)[]) {
    const cancelled: string[] = [];
    const slurm: Slurm = {
      submit: () => Promise.reject(new Error('nothing is submitted here')),
      look: () => {
        const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
        return answer instanceof UserError ? Promise.reject(answer) : Promise.resolve(answer);
      },
      cancel: id => {
        cancelled.push(id);
        answers.splice(0, answers.length, [ended]);
        return Promise.resolve();
      },
    };
    return { slurm, cancelled };
  }
  const quiet = { onLine: () => {}, onStates: () => {}, onTrouble: () => {}, askEvery: 1 };
  const newFile = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'ligo-follow-'));
    folders.push(folder);
    return join(folder, 'events.jsonl');
  };

  it('gives every whole line once, also what came last', async () => {
    const file = newFile();
    const lines: string[] = [];
    writeFileSync(file, 'one\ntw');
    const { slurm } = answering([queued], [ended]);
    await followJob({
      ...{ ...quiet, slurm, ids: ['9'], files: [file, `${file}.absent`] },
      signal: new AbortController().signal,
      onLine: line => {
        lines.push(line);
        if (line === 'one') appendFileSync(file, 'o é\nthree\nhalf');
      },
    });
    assert.deepEqual(lines, ['one', 'two é', 'three']);
  });

  it('waits while Slurm does not answer, and says so', async () => {
    const { slurm } = answering(new UserError('No answer.', 'Wait.'), [queued], [ended]);
    const troubles: string[] = [];
    const signal = new AbortController().signal;
    const onTrouble = ({ message }: UserError) => troubles.push(message);
    const job = { ...quiet, slurm, ids: ['9'], files: [], signal, onTrouble };
    assert.deepEqual(await followJob(job), [ended]);
    assert.deepEqual(troubles, ['No answer.']);
  });

  it('ends for a job that Slurm has forgotten', async () => {
    const { slurm } = answering([]);
    const signal = new AbortController().signal;
    assert.deepEqual(await followJob({ ...quiet, slurm, ids: ['9'], files: [], signal }), []);
  });

  it('cancels what waits before what it waits for, when it is stopped', async () => {
    const { slurm, cancelled } = answering([queued]);
    const controller = new AbortController();
    const onStates = () => controller.abort();
    const job = {
      ...quiet,
      slurm,
      ids: ['8', '9'],
      files: [],
      signal: controller.signal,
      onStates,
    };
    await followJob(job);
    assert.deepEqual(cancelled, ['9', '8']);
  });
});
