import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readUsage } from '../engine/usage';
import type { RunEventBody } from '../protocol/events';
import type { RunContext } from '../run/context';
import { editor, editorOfTraining } from '../remedy/editor';
import { eventInWords, report } from '../run/context';
import { runFiles, type WorkerProcess, type WorkerRequest } from '../protocol/runFolder';
import { watchControl, type Control } from './control';
import { openEventLog } from './eventLog';
import { explainFailure } from './failure';
import { compareRequestOf, growRequestOf, readRequest, trainRequestOf } from './request';

/** Milliseconds between reports of what the run takes of the machine. */
const reportUsageEvery = 5000;

/**
 * Works on the run in a folder; resolves to the exit code. The last event says how it ended. A run
 * that another worker has claimed is left to that one.
 */
export async function workOnRun(folder: string): Promise<number> {
  if (!claim(folder, Date.now())) return 0;
  const log = openEventLog(folder);
  const controller = new AbortController();
  let words = editor;
  const context = {
    emit: event => log.write(eventInWords(event, words)),
    signal: controller.signal,
    now: () => Date.now(),
  } satisfies Omit<RunContext, 'engine'>;
  const fail = (error: unknown): void => {
    const failure = explainFailure(error, words);
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    report({ ...context, engine: noEngine }, { type: 'failed', ...failure });
    log.close();
  };
  listenForTheEnd(controller, fail);
  const usage = watchUsage(body => report({ ...context, engine: noEngine }, body));
  const control = watchControl(join(folder, runFiles.control), controller);
  try {
    const request = await readRequest(join(folder, runFiles.request));
    if (request.kind === 'train') words = editorOfTraining;
    const work = workOf(request);
    const { openEngine } = await import('../engine/open');
    const engine = async () => {
      const { engine: choice, threads } = request;
      const precision = request.kind === 'compare' ? undefined : request.precision;
      const opened = await openEngine({ engine: choice, threads, precision });
      usage.start(opened.adapter);
      return opened;
    };
    await work({ ...context, engine }, control, controller);
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

type Work = (
  context: RunContext,
  control: Control,
  controller: AbortController,
) => Promise<unknown>;

/** What a request asks for. Throws what speaks against it before anything is loaded. */
function workOf(request: WorkerRequest): Work {
  if (request.kind === 'grow') {
    const growth = growRequestOf(request);
    return async (context, { betweenSteps }) => {
      const { grow } = await import('../run/grow/grow');
      await grow({ ...context, betweenSteps }, growth);
    };
  }
  if (request.kind === 'train') {
    const training = trainRequestOf(request);
    return async (context, { betweenSteps }) => {
      const { train } = await import('../run/train/train');
      await train({ ...context, betweenSteps }, training);
    };
  }
  const comparison = compareRequestOf(request);
  return async (context, control, controller) => {
    const { compare } = await import('../run/compare/compare');
    // Half a comparison is no result: to stop it keeps the runs that ended, for when it is resumed.
    const betweenSteps = async (): Promise<void> => {
      if ((await control.betweenSteps()) === 'finish') controller.abort();
    };
    await compare({ ...context, betweenSteps }, comparison);
  };
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

/** Says who works here; false when another worker said so first, for another window may start one. */
function claim(folder: string, started: number): boolean {
  const content: WorkerProcess = { pid: process.pid, started };
  try {
    writeFileSync(join(folder, runFiles.process), JSON.stringify(content), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
