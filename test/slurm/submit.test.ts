import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ComparisonReport } from '../../src/protocol/comparison';
import { example } from '../support/fixtures';
import { builtCli, outcomeOf, start } from '../unit/cli/process';
import { jsonLines } from '../unit/cli/support';
import { startCluster, until, type Cluster } from './cluster';

const gpt2 = example('gpt2-kjv');
const data = ['--data', example('kjv.txt'), '--batch', '4', '--sequence-length', '32'];
const sizes = ['--layers', '4', '--hidden', '80', '--eval-batches', '2', '--engine', 'cpu'];
const growth = ['grow', gpt2, ...sizes, ...data, '--steps', '600', '--threads', '1'];
/** What no shell and no line of a script may read as anything but a name. */
const hostile = `o u'"$(touch pwned)\`touch pwned\`;\n#SBATCH --hold\n%j`;

describe('a run that is handed to Slurm', () => {
  let cluster: Cluster;
  let folder: string;
  let expected: string;
  const at = (...names: string[]) => join(folder, ...names);
  const call = (...args: string[]) =>
    outcomeOf(start(args, [], { cwd: folder, env: cluster.environment }));
  const weights = (...out: string[]) =>
    readFileSync(at(...out, 'model.safetensors')).toString('latin1');
  const stateOf = (id: string) =>
    cluster.ask('squeue', '-h', '-t', 'all', '-j', id, '-o', '%T').trim();
  const eventsOf = (out: string, file = 'events.jsonl') => {
    const path = at(`${out}.job`, file);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole === '' ? [] : jsonLines(whole);
  };
  /** Submits a growth; gives its job. */
  const submit = async (out: string, ...more: string[]): Promise<string> => {
    const { code, stdout, stderr } = await call(
      ...growth,
      '--out',
      out,
      '--submit',
      ...more,
      '--json',
    );
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as { job: string }).job;
  };
  const isSaved = (out: string) => eventsOf(out).some(({ type }) => type === 'saved');
  /** Waits until Slurm has put a job back; it begins again by itself after a while. */
  const isPutBack = (id: string) => until(`job ${id} waits again`, () => stateOf(id) === 'PENDING');

  before(async () => {
    cluster = await startCluster();
    folder = mkdtempSync(join(tmpdir(), 'ligo-jobs-'));
    const { status, stderr } = spawnSync(
      process.execPath,
      [builtCli, ...growth, '--out', 'here', '--json'],
      { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    assert.equal(status, 0, stderr);
    expected = weights('here');
  });
  after(async () => {
    await cluster?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  it('gives what it gives here, with the same progress, whatever its folder is called', async () => {
    mkdirSync(at(hostile));
    const out = join(hostile, 'large');
    const { code, stdout, stderr } = await call(...growth, '--out', out, '--submit', '--wait');
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /^Submitted job \d+\.$/m);
    assert.match(stdout, /^Job \d+: running on n[12]\.$/m);
    assert.match(stdout, /step 600\/600/);
    assert.match(stdout, /^Result: .*held-out loss/m);
    assert.match(stdout, /^Job \d+: completed\.$/m);
    assert.equal(weights(out), expected);
    assert.deepEqual(readdirSync(folder).sort(), ['here', hostile].sort());
    assert.deepEqual(readdirSync(at(hostile)).sort(), ['large', 'large.job']);
  });

  it('goes on to the same bytes where it was requeued', async () => {
    const id = await submit('requeued');
    await until('a state is saved', () => isSaved('requeued'));
    cluster.ask('scontrol', 'requeue', id);
    await isPutBack(id);
    const { code, stdout, stderr } = await call('job', 'requeued', '--wait');
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(weights('requeued'), expected);
    const events = eventsOf('requeued');
    assert.equal(events.filter(({ type }) => type === 'plan').length, 2);
    const first = events.flatMap(event => (event.type === 'step' ? [event.step] : []));
    assert.equal(first.filter(step => step === 1).length, 1, 'it did not begin anew');
  });

  it('saves and begins again when its time limit comes near', async () => {
    const id = await submit('limited', '--time', '1', '--save-every', '1');
    await until('it was stopped', () => eventsOf('limited').some(({ type }) => type === 'failed'));
    await isPutBack(id);
    cluster.ask('scontrol', 'update', `JobId=${id}`, 'TimeLimit=30');
    const { code, stdout, stderr } = await call('job', 'limited', '--wait');
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(weights('limited'), expected);
  });

  it('can be cancelled, and gone on with by another job', async () => {
    await submit('cancelled');
    await until('a state is saved', () => isSaved('cancelled'));
    const again = await call(...growth, '--out', 'cancelled', '--submit');
    assert.equal(again.code, 2);
    assert.match(again.stderr, /Job \d+ makes cancelled already/);
    assert.equal((await call('job', 'cancelled', '--cancel')).code, 0);
    const told = await call('job', 'cancelled', '--wait');
    assert.equal(told.code, 130);
    assert.match(told.stderr, /Job \d+ was cancelled\. Stopped after \d+ of 600 steps/);
    assert.equal(existsSync(at('cancelled')), false);
    const resumed = await call(...growth, '--out', 'cancelled', '--submit', '--wait', '--resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(weights('cancelled'), expected);
  });

  it('is cancelled by Ctrl-C in whoever follows it', async () => {
    const followed = start([...growth, '--out', 'left', '--submit', '--wait'], [], {
      cwd: folder,
      env: cluster.environment,
    });
    const outcome = outcomeOf(followed);
    await until('a state is saved', () => isSaved('left'));
    followed.kill('SIGINT');
    const { code, stderr } = await outcome;
    assert.equal(code, 130);
    assert.match(stderr, /Job \d+ was cancelled/);
  });

  it('goes on elsewhere to the same bytes when its node dies', async () => {
    const id = await submit('node');
    await until('a state is saved', () => isSaved('node'));
    const node = cluster.ask('squeue', '-h', '-j', id, '-o', '%N').trim();
    await cluster.cut(node, id);
    try {
      await isPutBack(id);
      const { code, stdout, stderr } = await call('job', 'node', '--wait');
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      assert.equal(weights('node'), expected);
    } finally {
      await cluster.restore(node);
    }
  });

  it('is told of as what Slurm made of it', async () => {
    const wrong = await call(...growth, '--out', 'wrong', '--submit', '--partition', 'nowhere');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /Slurm did not take the job: .*[Ii]nvalid partition/);
    const absent = await call('grow', gpt2, '--layers', '2', '--out', 'small', '--submit');
    assert.equal(absent.code, 1);
    assert.match(absent.stderr, /The target has 2 layers/);
    assert.equal(existsSync(at('wrong.job')), false);
  });

  describe('of many parts', () => {
    const comparison = [
      ...['compare', gpt2, ...sizes, ...data, '--steps', '20', '--methods', 'stack,ligo'],
      ...['--seeds', '0,1', '--growth-steps', '5', '--threads', '1'],
    ];
    const reportOf = (out: string) =>
      JSON.parse(readFileSync(at(out, 'report.json'), 'utf8')) as ComparisonReport;
    let digest: string;
    before(async () => {
      const { code, stderr } = await call(...comparison, '--out', 'compared');
      assert.equal(code, 0, stderr);
      digest = reportOf('compared').digest!;
    });

    it('reports what the comparison reports here', async () => {
      const { code, stdout, stderr } = await call(
        ...comparison,
        ...['--out', 'array', '--submit', '--wait'],
      );
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /one task for each of 6 runs/);
      assert.match(stdout, /FLOPs saved/);
      assert.equal(reportOf('array').digest, digest);
      assert.equal(existsSync(at('array.run')), false);
    });

    it('reports what there is where a part is lost, and makes that later', async () => {
      const submitted = await call(...comparison, '--out', 'partial', '--submit', '--json');
      const { parts } = JSON.parse(submitted.stdout) as { parts: { job: string } };
      cluster.ask('scancel', `${parts.job}_5`);
      const { code, stdout, stderr } = await call('job', 'partial', '--wait');
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      assert.match(stderr, /1 run left no result/);
      const ligo = reportOf('partial').methods.find(({ method }) => method === 'ligo')!;
      assert.match(ligo.failures[0]!.message, /Task 5 of job \d+ left no result/);
      const again = await call(
        ...comparison,
        ...['--out', 'partial', '--submit', '--wait', '--resume', '--overwrite'],
      );
      assert.equal(again.code, 0, again.stderr);
      assert.equal(reportOf('partial').digest, digest);
    });
  });
});
