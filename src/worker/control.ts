import { setTimeout as wait } from 'node:timers/promises';
import { readTextFile } from '../files';
import type { RunCommand } from '../protocol/runFolder';
import { runControl } from '../protocol/runFolderSchemas';

/** Bytes of `control.json` at most; a command has a few dozen. */
const largestControl = 1 << 16;

/** Milliseconds between looks at `control.json`. */
const pollEvery = 150;

/** What the person wants, by a file that is replaced while the run goes on. */
export interface Control {
  /** Waits while paused; see `RunContext`. */
  betweenSteps(): Promise<'finish' | void>;
  /** Ends the watching. */
  close(): void;
}

/**
 * Watches `control.json` during a run. A cancel reaches the run at any time, also outside of steps,
 * by aborting; a file that is missing, half written or nonsense means what was wanted before.
 */
export function watchControl(path: string, controller: AbortController): Control {
  let wanted: RunCommand = 'run';
  const { signal } = controller;
  const look = async (): Promise<RunCommand> => {
    wanted = (await readCommand(path)) ?? wanted;
    if (wanted === 'cancel') controller.abort();
    return wanted;
  };
  // Only fails by a defect of ours, which must not go unseen.
  const timer = setInterval(() => void look(), pollEvery);
  timer.unref();
  return {
    async betweenSteps() {
      while ((await look()) === 'pause' && !signal.aborted) await wait(pollEvery);
      if (wanted === 'stopAndKeep' && !signal.aborted) return 'finish';
    },
    close: () => clearInterval(timer),
  };
}

async function readCommand(path: string): Promise<RunCommand | undefined> {
  try {
    const parsed = runControl.safeParse(JSON.parse(await readTextFile(path, largestControl)));
    return parsed.success ? parsed.data.command : undefined;
  } catch {
    // Not there yet, or being replaced at this moment: the next look will tell.
    return undefined;
  }
}
