import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunContext } from '../run/context';
import { report } from '../run/context';
import { runFiles, type WorkerProcess } from '../protocol/runFolder';
import { watchControl } from './control';
import { openEventLog } from './eventLog';
import { explainFailure } from './failure';
import { growRequestOf, readRequest } from './request';

/** Milliseconds between reports of the memory in use. */
const reportMemoryEvery = 2000;

/** Works on the run in a folder; resolves to the exit code. The last event says how it ended. */
export async function workOnRun(folder: string): Promise<number> {
  const log = openEventLog(join(folder, runFiles.events));
  const controller = new AbortController();
  const context = {
    emit: log.write,
    signal: controller.signal,
    now: () => Date.now(),
  } satisfies Omit<RunContext, 'engine'>;
  const fail = (error: unknown): void => {
    const failure = explainFailure(error);
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    report({ ...context, engine: noEngine }, { type: 'failed', ...failure });
    log.close();
  };
  listenForTheEnd(controller, fail);
  const started = Date.now();
  const describeProcess = (): void => writeProcess(folder, started);
  describeProcess();
  const timer = setInterval(describeProcess, reportMemoryEvery);
  const control = watchControl(join(folder, runFiles.control), controller);
  try {
    const request = await readRequest(join(folder, runFiles.request));
    const growth = growRequestOf(request);
    const [{ grow }, { onnxRuntimeCpu }] = await Promise.all([
      import('../run/grow'),
      import('../engine'),
    ]);
    const engine = () =>
      onnxRuntimeCpu(request.threads === undefined ? {} : { threads: request.threads });
    await grow({ ...context, engine, betweenSteps: control.betweenSteps }, growth);
    log.close();
    return 0;
  } catch (error) {
    fail(error);
    return 1;
  } finally {
    clearInterval(timer);
    control.close();
  }
}

const noEngine = (): never => {
  throw new Error('a failure is reported without an engine');
};

/** Turns signals and whatever nobody caught into an end that is told. */
function listenForTheEnd(controller: AbortController, fail: (error: unknown) => void): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) {
        fail(new Error(`Stopped by ${signal} before the state was saved`));
        process.exit(130);
      }
      controller.abort();
    });
  }
  const die = (error: unknown): never => {
    fail(error);
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** Says who works here; by renaming, so that no reader sees half of it. */
function writeProcess(folder: string, started: number): void {
  const content: WorkerProcess = {
    pid: process.pid,
    started,
    residentBytes: process.memoryUsage.rss(),
  };
  const path = join(folder, runFiles.process);
  writeFileSync(`${path}.new`, JSON.stringify(content));
  renameSync(`${path}.new`, path);
}
