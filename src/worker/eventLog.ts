import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../protocol/events';
import { logBudget, runFiles } from '../protocol/runFolder';
import { fitPicture } from './pictureSize';

/** Appends events to a file. A line is with the system when `write` returns, so it outlives us. */
export interface EventLog {
  write(event: RunEvent): void;
  /** Has everything on the disk; further events are ignored. */
  close(): void;
}

type Event<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Milliseconds between two looks at the newest of what the log leaves out. */
const newestEvery = 250;
/** Steps at the beginning that are all written, so that a curve is there soon. */
const denseSteps = 200;
/** The pictures of a run, about. */
const usualPictures = 50;

/**
 * Opens the events of the run in a folder for appending. Its files stay within `logBudget`, whatever the
 * run's steps and the size of its operators: what is told often is written down evenly spaced, and the
 * newest of it is kept beside the log.
 */
export function openEventLog(folder: string): EventLog {
  const file = openSync(join(folder, runFiles.events), 'a');
  const room = Math.max(0, 1 - fstatSync(file).size / logBudget.total);
  const newest = openNewest(join(folder, runFiles.newest));
  const picture = join(folder, runFiles.picture);
  const curve = spaced(logBudget.steps * room, Math.floor(denseSteps * room));
  const heldOut = spaced(logBudget.heldOut * room);
  const compared = new Map<string, ReturnType<typeof spaced>>();
  let comparedRuns = 1;
  let planned = 0;
  let pictured = 0;
  let hasPicture = false;
  let open = true;

  const append = (line: string): void => {
    const bytes = Buffer.from(line);
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
  };
  const lineOf = (event: object): string => `${JSON.stringify(event)}\n`;
  const appendOrKeep = (event: RunEvent, line: string, due: boolean): void => {
    newest.set(event.type, due ? undefined : line, event.time);
    if (due) append(line);
  };

  function writeOperators(event: Event<'operators'>): void {
    const whole = (): string =>
      lineOf({ ...event, ...fitPicture(event.operators, logBudget.picture) });
    if (event.final === true) {
      append(whole());
      rmSync(picture, { force: true });
      return;
    }
    replace(picture, whole());
    if (!hasPicture) {
      hasPicture = true;
      append(whole());
      return;
    }
    const budget = logBudget.history * room;
    const size = budget / usualPictures;
    const fitting = fitPicture(event.operators, size);
    const line = lineOf({ ...event, ...fitting });
    const share = planned > 0 ? Math.min(1, event.step / planned) : 0;
    if (pictured + line.length > budget * share + size || fitting.operators.length === 0) return;
    pictured += line.length;
    append(line);
  }

  function comparedSpacing({ method, seed }: Event<'comparison'>): ReturnType<typeof spaced> {
    const key = `${method} ${seed}`;
    const known = compared.get(key) ?? spaced((logBudget.comparison * room) / comparedRuns);
    compared.set(key, known);
    return known;
  }

  return {
    write(event) {
      if (!open) return;
      const { type } = event;
      if (type === 'operators') {
        writeOperators(event);
        return;
      }
      const line = lineOf(event);
      if (type === 'step') {
        planned = event.steps;
        appendOrKeep(event, line, curve(event, line.length));
      } else if (type === 'evaluation' && event.model === 'training') {
        const due = heldOut({ step: event.step, steps: planned }, line.length);
        appendOrKeep(event, line, due);
      } else if (type === 'comparison' && event.phase === 'training') {
        appendOrKeep(event, line, comparedSpacing(event)(event, line.length));
      } else if (type === 'usage' || type === 'comparisonStep' || type === 'comparison') {
        newest.set(type, line, event.time);
      } else {
        if (type === 'comparisonRun') comparedRuns = Math.max(1, event.runs);
        append(line);
      }
    },
    close() {
      if (!open) return;
      open = false;
      newest.flush();
      fsyncSync(file);
      closeSync(file);
    },
  };
}

/**
 * Whether the entry of a step is due, so that those of all planned steps fit into some bytes: the first,
 * the last, and those between evenly spaced; before that, `dense` ones in a row. A step before the last one
 * begins anew.
 */
function spaced(
  budget: number,
  dense = 0,
): (at: { readonly step: number; readonly steps: number }, bytes: number) => boolean {
  let last: number | undefined;
  let left = dense;
  return ({ step, steps }, bytes) => {
    // A quarter is for dense steps, and those whose lines are longer than this one's.
    const interval = Math.max(1, Math.ceil((1.25 * steps * bytes) / budget));
    const far = last === undefined || step < last || step - last >= interval;
    const due = far || step === steps || left > 0;
    if (due) {
      last = step;
      left--;
    }
    return due;
  };
}

/** The newest of what the log leaves out, a line a type, replaced now and then. */
function openNewest(path: string): {
  /** Takes a line, or that there is none because the log has it. */
  set(type: string, line: string | undefined, time: number): void;
  flush(): void;
} {
  const lines = new Map<string, string>();
  let written = -Infinity;
  let changed = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (!changed) return;
    changed = false;
    replace(path, [...lines.values()].join(''));
  };
  return {
    set(type, line, time) {
      if (line === undefined) {
        lines.delete(type);
        return;
      }
      lines.set(type, line);
      changed = true;
      if (Math.abs(time - written) >= newestEvery) {
        written = time;
        flush();
      } else {
        timer ??= setTimeout(flush, newestEvery).unref();
      }
    },
    flush,
  };
}

/** Replaces a file so that no reader sees half of it. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}
