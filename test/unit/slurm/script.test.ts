import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SlurmJob } from '../../../src/slurm/job';
import { sbatchScript, scriptPath } from '../../../src/slurm/script';
import { moduleNames, slurmText } from '../../../src/slurm/settings';

const hostile = `a b'"$(touch pwned)\`touch pwned\`;\n#SBATCH --wrap=x\n%j\\`;

describe('the script of a job', { skip: process.platform === 'win32' && 'it is for bash' }, () => {
  let folder: string;
  let jobs = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ligo-script-'));
    mkdirSync(join(folder, 'bin'));
    const scontrol = join(folder, 'bin', 'scontrol');
    writeFileSync(scontrol, `#!/bin/bash\necho "$@" >> '${folder}/scontrol'\n`);
    chmodSync(scontrol, 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A job of its own whose program is a line of JavaScript. */
  function jobOf(program: string, more: Partial<SlurmJob> = {}): SlurmJob {
    const own = join(folder, `${++jobs}${hostile}`);
    mkdirSync(own);
    const script = join(own, 'program.cjs');
    writeFileSync(script, program);
    const job: SlurmJob = {
      name: hostile,
      script: 'job.sbatch',
      folder: own,
      workingFolder: own,
      program: [process.execPath, script, hostile, ''],
      state: join(own, 'state'),
      settings: {},
      ...more,
    };
    writeFileSync(scriptPath(job), sbatchScript(job));
    return job;
  }
  const run = (job: SlurmJob, environment: NodeJS.ProcessEnv = {}) =>
    spawn('bash', [scriptPath(job)], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
        SLURM_JOB_ID: String(jobs),
        ...environment,
      },
    });
  const codeOf = (child: ReturnType<typeof run>) =>
    new Promise<number | null>(resolve => child.once('exit', resolve));
  const eventsOf = (job: SlurmJob, name = 'events.jsonl') =>
    readFileSync(join(job.folder, name), 'utf8');
  const requeued = () =>
    existsSync(join(folder, 'scontrol')) ? readFileSync(join(folder, 'scontrol'), 'utf8') : '';
  const printWords = 'console.log(JSON.stringify(process.argv.slice(2)))';

  it('hands on every word as it is, and runs none', async () => {
    const job = jobOf(printWords);
    assert.equal(await codeOf(run(job)), 0);
    assert.deepEqual(JSON.parse(eventsOf(job)), [hostile, '']);
    for (const place of [folder, job.folder]) assert.equal(existsSync(join(place, 'pwned')), false);
  });

  it('has a head of known settings alone', () => {
    const settings = {
      ...{ partition: 'gpu,long', account: 'us', gpus: 'a100:1', time: '1-12:00' },
      ...{ cpusPerTask: 4, mem: '16G' },
    };
    const lines = sbatchScript(jobOf('', { settings })).split('\n');
    const head = lines.slice(1, lines.indexOf(''));
    assert.deepEqual(head, [
      '#SBATCH --job-name=a-b-touch-pwned-touch-pwned-SBATCH---wrap-x-j-',
      '#SBATCH --output=worker.log',
      '#SBATCH --open-mode=append',
      '#SBATCH --requeue',
      '#SBATCH --signal=B:USR1@60',
      '#SBATCH --nodes=1',
      '#SBATCH --ntasks=1',
      '#SBATCH --partition=gpu,long',
      '#SBATCH --account=us',
      '#SBATCH --gpus=a100:1',
      '#SBATCH --time=1-12:00',
      '#SBATCH --cpus-per-task=4',
      '#SBATCH --mem=16G',
    ]);
  });

  it('takes no setting that sbatch would read as more than one', () => {
    for (const setting of ['partition', 'account', 'gpus', 'time', 'mem'] as const) {
      for (const text of ['', 'a b', '1\n#SBATCH --wrap=x', '$(x)', '-x y', "'"]) {
        assert.throws(() => slurmText(setting, `--${setting}`, text), /does not take/, text);
      }
    }
    assert.throws(() => moduleNames('--modules', ['cuda/12', '-x']), /no name of a module/);
    assert.deepEqual(moduleNames('--modules', ['cuda/12.4', 'gcc']), ['cuda/12.4', 'gcc']);
  });

  it('goes on from a state only where it was begun again and that is its own', async () => {
    const words = async (restarts: string, age?: number): Promise<string[]> => {
      const job = jobOf(printWords);
      if (age !== undefined) {
        writeFileSync(job.state, '');
        const at = Date.now() / 1000;
        utimesSync(scriptPath(job), at, at);
        utimesSync(job.state, at - age, at - age);
      }
      assert.equal(await codeOf(run(job, { SLURM_RESTART_COUNT: restarts })), 0);
      return JSON.parse(eventsOf(job)) as string[];
    };
    assert.deepEqual(await words('1', -10), [hostile, '', '--resume']);
    assert.deepEqual(await words('0', -10), [hostile, '']);
    assert.deepEqual(await words('1', 10), [hostile, '']);
    assert.deepEqual(await words('1'), [hostile, '']);
  });

  it('makes one part of a comparison a task', async () => {
    const job = jobOf(printWords, { tasks: { option: '--only', values: ['stack:0', hostile] } });
    assert.match(sbatchScript(job), /^#SBATCH --array=0-1$/m);
    assert.match(sbatchScript(job), /^#SBATCH --output=worker-%a\.log$/m);
    assert.equal(await codeOf(run(job, { SLURM_ARRAY_TASK_ID: '1' })), 0);
    const words = [hostile, '', '--only', hostile];
    assert.deepEqual(JSON.parse(eventsOf(job, 'events-1.jsonl')), words);
  });

  it('gives the code that its program ends with', async () => {
    assert.equal(await codeOf(run(jobOf('process.exit(3)'))), 3);
  });

  /** Stops when told, with or without a state. */
  const stopping = (saves: boolean) => `
    const { writeFileSync } = require('node:fs');
    process.on('SIGTERM', () => {
      ${saves ? "setTimeout(() => { writeFileSync('state', ''); process.exit(130); }, 50);" : 'process.exit(130);'}
    });
    setInterval(() => undefined, 1000);
    console.log('ready ' + process.pid);`;
  /** Runs a job until its program is ready, then sends the shell a signal. */
  async function signalled(job: SlurmJob, signal: NodeJS.Signals) {
    const child = run(job);
    const ended = codeOf(child);
    await new Promise<void>(resolve => {
      const watcher = watch(job.folder, look);
      function look() {
        const events = join(job.folder, 'events.jsonl');
        if (!existsSync(events) || !readFileSync(events, 'utf8').includes('ready')) return;
        watcher.close();
        resolve();
      }
      look();
    });
    child.kill(signal);
    return { child, ended };
  }

  it('has a job begin again that its time limit stopped with a state, and no other', async () => {
    const saved = await signalled(jobOf(stopping(true)), 'SIGUSR1');
    assert.equal(await saved.ended, 130);
    assert.equal(requeued(), `requeue ${jobs}\n`);
    const lost = await signalled(jobOf(stopping(false)), 'SIGUSR1');
    assert.equal(await lost.ended, 130);
    assert.equal(requeued(), `requeue ${jobs - 1}\n`);
  });

  it('waits for its program when Slurm ends all processes of a job', async () => {
    const job = jobOf(stopping(true));
    const { child, ended } = await signalled(job, 'SIGTERM');
    assert.equal(child.exitCode, null);
    // Slurm tells the program too.
    process.kill(Number(/ready (\d+)/.exec(eventsOf(job))![1]), 'SIGTERM');
    assert.equal(await ended, 130);
    assert.ok(existsSync(job.state));
  });
});
