import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readUsage } from '../engine/usage';
import type { RunEventBody } from '../protocol/events';
import type { RunContext } from '../run/context';
import { report } from '../run/context';
import { runFiles, type WorkerProcess } from '../protocol/runFolder';
import { watchControl } from './control';
import { openEventLog } from './eventLog';
import { explainFailure } from './failure';
import { growRequestOf, readRequest } from './request';

/** Milliseconds between reports of what the run takes of the machine. */
const reportUsageEvery = 5000;

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
  writeProcess(folder, Date.now());
  const usage = watchUsage(body => report({ ...context, engine: noEngine }, body));
  const control = watchControl(join(folder, runFiles.control), controller);
  try {
    const request = await readRequest(join(folder, runFiles.request));
    const growth = growRequestOf(request);
    const [{ grow }, { openEngine }] = await Promise.all([
      import('../run/grow'),
      import('../engine/open'),
    ]);
    const engine = async () => {
      const opened = await openEngine({ engine: request.engine, threads: request.threads });
      usage.start(opened.adapter);
      return opened;
    };
    await grow({ ...context, engine, betweenSteps: control.betweenSteps }, growth);
    log.close();
    return 0;
  } catch (error) {
    fail(error);
    return 1;
  } finally {
    usage.close();
    control.close();
  }
}

const noEngine = (): never => {
  throw new Error('a failure is reported without an engine');
};

/** Tells what the run takes of the machine, from when its engine is known, every few seconds. */
function watchUsage(tell: (body: RunEventBody) => void): {
  start(adapter: string | undefined): void;
  close(): void;
} {
  let timer: NodeJS.Timeout | undefined;
  let open = true;
  const sample = async (adapter: string | undefined): Promise<void> => {
    const usage = await readUsage(adapter);
    if (open) tell({ type: 'usage', ...usage });
  };
  return {
    start(adapter) {
      void sample(adapter);
      timer = setInterval(() => void sample(adapter), reportUsageEvery);
      timer.unref();
    },
    close() {
      open = false;
      clearInterval(timer);
    },
  };
}

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
  const content: WorkerProcess = { pid: process.pid, started };
  const path = join(folder, runFiles.process);
  writeFileSync(`${path}.new`, JSON.stringify(content));
  renameSync(`${path}.new`, path);
}
