import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { RunEvent } from '../protocol/events';

/** Appends events to a file. A line is with the system when `write` returns, so it outlives us. */
export interface EventLog {
  write(event: RunEvent): void;
  /** Has everything on the disk; further events are ignored. */
  close(): void;
}

/** Opens the events of a run for appending. */
export function openEventLog(path: string): EventLog {
  const file = openSync(path, 'a');
  let open = true;
  return {
    write(event) {
      if (!open) return;
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      for (let written = 0; written < line.length;) written += writeSync(file, line, written);
    },
    close() {
      if (!open) return;
      open = false;
      fsyncSync(file);
      closeSync(file);
    },
  };
}
