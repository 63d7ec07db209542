import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { describeState, explainJobEnd } from '../../../src/slurm/explain';
import { parseSacct, parseSqueue, parseSubmitted } from '../../../src/slurm/states';
import { InterruptedError } from '../../../src/errors';

/** What squeue of Slurm 22.05 printed by our format. */
const printed = readFileSync(
  fileURLToPath(new URL('../../fixtures/slurm/squeue.txt', import.meta.url)),
  'utf8',
);

describe('what Slurm prints', () => {
  it('tells of every task of an array where it stands', () => {
    assert.deepEqual(parseSqueue(printed, '15'), [
      { task: 1, state: { phase: 'ended', end: 'cancelled' } },
      { task: 0, state: { phase: 'queued', reason: 'BeginTime' } },
      { task: 3, state: { phase: 'running', nodes: 'n2' } },
      { task: 2, state: { phase: 'running', nodes: 'n2' } },
    ]);
  });

  it('tells of a job why it waits and how it ended', () => {
    const only = (id: string) => parseSqueue(printed, id).map(({ state }) => describeState(state));
    assert.deepEqual(only('16'), ['queued (Dependency)']);
    assert.deepEqual(only('17'), ['queued (JobHeldUser)']);
    assert.deepEqual(only('18'), ['failed']);
    assert.deepEqual(only('7'), ['completed']);
    assert.deepEqual(only('1'), []);
  });

  it('tells what Slurm did from what a person did and from what the program did', () => {
    const endOf = (state: string) => parseSacct(`9|${state}|n1\n`, '9')[0]?.state;
    const ends = {
      'CANCELLED by 1000': 'cancelled',
      TIMEOUT: 'timeout',
      OUT_OF_MEMORY: 'outOfMemory',
      NODE_FAIL: 'nodeFailure',
      PREEMPTED: 'preempted',
      FAILED: 'failed',
      COMPLETED: 'completed',
    };
    for (const [written, end] of Object.entries(ends)) {
      assert.deepEqual(endOf(written), { phase: 'ended', end }, written);
    }
    assert.deepEqual(endOf('REQUEUED'), { phase: 'queued', reason: '' });
  });

  it('names tasks that wait together one by one, and no more than there may be', () => {
    const tasks = (id: string) => parseSacct(`${id}|PENDING|None assigned\n`, '9').map(t => t.task);
    assert.deepEqual(tasks('9_[2-4,7%2]'), [2, 3, 4, 7]);
    assert.deepEqual(tasks('9_5'), [5]);
    assert.deepEqual(tasks('8_5'), []);
    assert.equal(tasks('9_[0-99999999999]').length, 10_000);
  });

  it('is a number of a job or nothing', () => {
    assert.equal(parseSubmitted('12\n'), '12');
    assert.equal(parseSubmitted('12;cluster\n'), '12');
    assert.equal(parseSubmitted('Submitted batch job 12\n'), undefined);
  });

  it('steers no terminal', () => {
    const [first] = parseSqueue('9|N/A|PENDING||\u001b[2J|more\n', '9');
    assert.deepEqual(first?.state, { phase: 'queued', reason: '\\u001b[2J|more' });
  });
});

describe('why a job left no result', () => {
  it('is what Slurm did to it, before what the run said of that', () => {
    const told = { message: 'Stopped after 3 of 9 steps.', remedy: 'Go on.' };
    const cancelled = explainJobEnd({ id: '9', end: 'cancelled', told });
    assert.ok(cancelled instanceof InterruptedError);
    assert.equal(cancelled.message, 'Job 9 was cancelled. Stopped after 3 of 9 steps.');
    assert.match(explainJobEnd({ id: '9', end: 'outOfMemory' }).message, /more memory/);
    assert.match(explainJobEnd({ id: '9', end: 'nodeFailure' }).message, /node failed/);
  });

  it('is what the run said where it failed by itself, and what it printed where it said nothing', () => {
    const told = { message: 'The loss is no number.', remedy: 'Lower the rate.' };
    assert.equal(explainJobEnd({ id: '9', end: 'failed', told }).message, told.message);
    const log = 'module: not found\n';
    assert.match(explainJobEnd({ id: '9', end: 'failed', log }).message, /module: not found/);
    assert.match(explainJobEnd({ id: '9', end: undefined }).message, /no longer known to Slurm/);
  });
});
