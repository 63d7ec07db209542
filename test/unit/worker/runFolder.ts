import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../../src/protocol/events';
import {
  runFiles,
  type ComparisonRequest,
  type GrowthRequest,
  type RunCommand,
  type TrainingRequest,
  type WorkerRequest,
} from '../../../src/protocol/runFolder';
import { example } from '../../support/fixtures';
import { patience } from '../../support/patience';

/** The worker as the host starts it; `npm test` builds it before the tests run. */
export const builtWorker = fileURLToPath(new URL('../../../dist/worker.js', import.meta.url));

/** A run folder, and the worker that works on it. */
export interface TestRun {
  readonly folder: string;
  readonly out: string;
  write(name: string, content: unknown): void;
  control(command: RunCommand): void;
  /** Starts a worker, as a host does: whoever worked on it before has no claim on it. */
  start(): ChildProcess;
  events(): RunEvent[];
  /** The newest of what the log leaves out. */
  newest(): RunEvent[];
}

/** A folder that is gone after the test. */
export function temporaryFolder(context: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ligo-worker-')));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What requests for the GPT-2 example have in common. */
const commonFor = (out: string) =>
  ({
    version: 1,
    id: 'test',
    title: 'test',
    created: 0,
    engine: 'cpu',
    checkpoint: example('gpt2-kjv'),
    data: { path: example('kjv.txt'), batchSize: 2, sequenceLength: 16 },
    out,
    threads: 1,
    resume: false,
    overwrite: false,
  }) as const;

/** A short growth of the GPT-2 example. */
export const requestFor = (out: string, changes: Partial<GrowthRequest> = {}): GrowthRequest => ({
  ...commonFor(out),
  kind: 'grow',
  target: { layers: 4, hidden: 80 },
  method: 'ligo',
  steps: 3,
  seed: 0,
  ...changes,
});

/** A short comparison on the GPT-2 example: two runs. */
export const comparisonFor = (
  out: string,
  changes: Partial<ComparisonRequest> = {},
): ComparisonRequest => ({
  ...commonFor(out),
  kind: 'compare',
  target: { layers: 4, hidden: 80 },
  methods: ['random', 'stack'],
  seeds: [0],
  steps: 4,
  evaluateEvery: 2,
  ...changes,
});

/** A short training of the GPT-2 example. */
export const trainingFor = (
  out: string,
  changes: Partial<TrainingRequest> = {},
): TrainingRequest => ({
  ...commonFor(out),
  kind: 'train',
  steps: 4,
  seed: 0,
  evaluateEvery: 2,
  ...changes,
});

/** A fresh run folder with a request for a growth. */
export const testRun = (context: TestContext, changes: Partial<GrowthRequest> = {}): TestRun =>
  runFor(context, out => requestFor(out, changes));

/** A fresh run folder with a request. */
export function runFor(context: TestContext, requestOf: (out: string) => WorkerRequest): TestRun {
  assert.ok(existsSync(builtWorker), 'dist/worker.js is there (npm run build)');
  const folder = temporaryFolder(context);
  const out = join(folder, 'out');
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write(runFiles.request, requestOf(out));
  return {
    folder,
    out,
    write,
    control: command => write(runFiles.control, { command }),
    start() {
      rmSync(join(folder, runFiles.process), { force: true });
      const child = spawn(process.execPath, [builtWorker, folder], {
        stdio: 'ignore',
        // Whatever engines this machine's person has installed.
        env: { ...process.env, LIGO_ENGINE_FOLDER: join(folder, 'engines') },
      });
      context.after(() => child.kill('SIGKILL'));
      return child;
    },
    events: () => eventsIn(join(folder, runFiles.events)),
    newest: () => eventsIn(join(folder, runFiles.newest)),
  };
}

/** The events of a file so far; none where there is no file. */
function eventsIn(path: string): RunEvent[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map(line => JSON.parse(line) as RunEvent);
}

/** Exit code of a child, once it ends. */
export const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise(resolve => child.once('exit', resolve));

/** Waits until something holds, however busy the machine is; fails with what it was waiting for. */
export async function until(
  what: string,
  holds: () => unknown,
  seconds = patience / 1000,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `waited ${seconds} s in vain until ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** Steps made so far. */
export const stepsOf = (run: TestRun): number =>
  run.events().filter(event => event.type === 'step').length;
