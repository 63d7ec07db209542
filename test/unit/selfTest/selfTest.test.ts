import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openEngine } from '../../../src/engine';
import type { EngineName, SelfTestResult } from '../../../src/protocol/engines';
import { selfTest } from '../../../src/selfTest/selfTest';
import { selfTestSteps } from '../../../src/selfTest/selfTestStep';
import { patience } from '../../support/patience';
import { builtWorker } from '../worker/runFolder';
import { temporaryFolder } from '../run/support';
import { commandLine } from '../../../src/remedy/commandLine';
import { worded } from '../../../src/remedy/worded';

/** Processes that test engines, as scripts for each; the CPU's tells losses 4, 3 and 2. */
function children(scripts: Partial<Record<EngineName, string>>) {
  const folder = temporaryFolder();
  const all = { cpu: telling([4, 3, 2]), ...scripts };
  return {
    start: (name: EngineName) => {
      const path = join(folder, `${name}.cjs`);
      writeFileSync(path, all[name] ?? '');
      return fork(path, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    },
  };
}

async function resultOf(script: string, limit = patience): Promise<SelfTestResult> {
  const { start } = children({ webgpu: script });
  const [result] = await selfTest(['webgpu'], { start, patience: limit });
  return worded<SelfTestResult>(result!, commandLine);
}

const telling = (losses: readonly (number | null)[]): string =>
  `process.send(${JSON.stringify({ losses, secondsPerStep: 0.001, device: 'x' })})`;

describe('the self test', () => {
  it('takes the same falling losses on the CPU every time', async () => {
    const { engine } = await openEngine({ engine: 'cpu', threads: 1 });
    const { losses, secondsPerStep } = await selfTestSteps(engine);
    assert.deepEqual((await selfTestSteps(engine)).losses, losses);
    assert.ok(losses[0]! > losses[1]! && losses[1]! > losses[2]!, losses.join(', '));
    assert.ok(secondsPerStep > 0);
  });

  it('runs the CPU in a process of its own', async () => {
    const start = (name: EngineName) =>
      fork(builtWorker, ['--self-test', name], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
    const [result] = await selfTest(['cpu'], { start });
    assert.equal(result?.outcome, 'agrees');
    assert.match(result.device, /^CPU/);
  });

  it('finds agreement within one part in ten thousand, and difference beyond', async () => {
    const near = await resultOf(telling([4, 3.0002, 2]));
    assert.equal(near.outcome, 'agrees');
    const far = await resultOf(telling([4, 3, 2.001]));
    assert.ok(far.outcome === 'differs' && Math.abs(far.difference - 5e-4) < 1e-6);
  });

  it('does not take losses that are missing or no numbers for agreement', async () => {
    assert.equal((await resultOf(telling([4, 3]))).outcome, 'differs');
    assert.equal((await resultOf(telling([4, null, 2]))).outcome, 'differs');
  });

  it('makes a result of a native crash, with its last words', async () => {
    const result = await resultOf(
      `process.stderr.write('driver: assertion failed\\n', () => process.kill(process.pid, 'SIGSEGV'));`,
    );
    assert.ok(result.outcome === 'failed');
    assert.match(result.message, /crashed \(SIGSEGV\): driver: assertion failed/);
    assert.match(result.remedy, /driver/);
  });

  it('ends an engine that hangs', async () => {
    const result = await resultOf('setInterval(() => {}, 1000)', 500);
    assert.ok(result.outcome === 'failed');
    assert.match(result.message, /no answer within .* ended/);
  });

  it('tells what an engine says of itself', async () => {
    const result = await resultOf(
      `process.send({ message: 'No adapter.', remedy: 'Install a driver.' })`,
    );
    assert.deepEqual(result, {
      ...{ name: 'webgpu', outcome: 'failed' },
      ...{ message: 'No adapter.', remedy: 'Install a driver.' },
    });
  });

  it('has nothing to compare with when the CPU fails', async () => {
    const { start } = children({ cpu: 'process.exit(3)', webgpu: telling([4, 3, 2]) });
    const [result] = await selfTest(['webgpu'], { start });
    assert.ok(result?.outcome === 'failed');
    assert.match(result.message, /nothing to compare with.*exit code 3/);
  });

  it('ends at once when nobody waits for it', async () => {
    const { start } = children({ webgpu: 'setInterval(() => {}, 1000)' });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 600);
    await assert.rejects(
      selfTest(['webgpu'], { start, signal: controller.signal }),
      (error: Error) => error.name === 'AbortError',
    );
  });
});
