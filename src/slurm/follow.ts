import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../errors';
import { openIfRegular, readRange } from '../files';
import type { Slurm } from './slurm';
import type { TaskState } from './states';

/** Whom a job that is followed tells. */
export interface FollowedJob {
  readonly slurm: Slurm;
  /** Jobs in the order in which they end. */
  readonly ids: readonly string[];
  /** Files of events, which may not be there yet. */
  readonly files: readonly string[];
  /** A whole line of a file. */
  readonly onLine: (line: string, file: string) => void;
  /** Where a job stands, whenever Slurm was asked. */
  readonly onStates: (id: string, states: readonly TaskState[]) => void;
  /** Slurm cannot be asked for now; it is asked again. */
  readonly onTrouble: (error: UserError) => void;
  /** Aborting it cancels the jobs, and waits for their end. */
  readonly signal: AbortSignal;
  /** Milliseconds between questions to Slurm, which all of a cluster's people ask. */
  readonly askEvery?: number;
}

/** Milliseconds between looks at the events. */
const readEvery = 500;
/** Looks at a job that Slurm no longer knows, before it counts as gone. */
const looksAtGone = 3;

/** Follows a job until its end; gives its states then, none where Slurm does not know them any more. */
export async function followJob(job: FollowedJob): Promise<readonly TaskState[]> {
  const { slurm, ids, files, onLine, onStates, onTrouble, signal, askEvery = 5000 } = job;
  const tails = files.map(path => ({ path, next: tailOf(path) }));
  const readNews = async (): Promise<void> => {
    for (const { path, next } of tails) for (const line of await next()) onLine(line, path);
  };
  const last = ids.at(-1)!;
  let cancelled = false;
  let gone = 0;
  let asked = -Infinity;
  for (;;) {
    if (signal.aborted && !cancelled) {
      // What waits for another first, so that it is not started by the end of that.
      for (const id of ids.toReversed()) await slurm.cancel(id);
      cancelled = true;
      asked = -Infinity;
    }
    if (Date.now() - asked >= askEvery) {
      asked = Date.now();
      try {
        for (const id of ids) {
          const states = await slurm.look(id);
          // What a job told is there before Slurm says that it ended.
          if (id === last) await readNews();
          onStates(id, states);
          if (id !== last) continue;
          if (states.length === 0) gone++;
          else gone = 0;
          const isOver = states.length > 0 && states.every(({ state }) => state.phase === 'ended');
          if (isOver || gone >= looksAtGone) return states;
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        onTrouble(error);
      }
    }
    await readNews();
    await wait(Math.min(readEvery, askEvery), undefined, {
      ...(!cancelled && { signal }),
    }).catch(() => undefined);
  }
}

/** Bytes of a file of events that are read at a time. */
const chunkBytes = 1 << 22;

/** Gives the whole lines that came to a file since it was asked before. */
function tailOf(path: string): () => Promise<string[]> {
  let position = 0;
  let rest = Buffer.alloc(0);
  return async () => {
    // Opened anew each time: a file system that machines share shows what others wrote by then.
    const file = await openIfRegular(path);
    if (!file) return [];
    const lines: string[] = [];
    try {
      for (;;) {
        const chunk = await readRange(file, position, chunkBytes);
        if (chunk.length === 0) return lines;
        position += chunk.length;
        const bytes = Buffer.concat([rest, chunk]);
        const end = bytes.lastIndexOf(10);
        rest = bytes.subarray(end + 1);
        if (end >= 0) lines.push(...bytes.subarray(0, end).toString('utf8').split('\n'));
      }
    } finally {
      await file.close();
    }
  };
}
