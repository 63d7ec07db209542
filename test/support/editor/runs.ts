import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../../../src/protocol/events';
import { runFiles, type WorkerProcess, type WorkerRequest } from '../../../src/protocol/runFolder';
import type { EditorServer } from './server';

/** A run as its folder in a profile tells it. */
export interface FoundRun {
  readonly folder: string;
  readonly request: WorkerRequest;
  worker(): WorkerProcess;
  events(): RunEvent[];
}

/** The runs of an editor's profile, oldest first. */
export function findRuns(server: EditorServer): FoundRun[] {
  return readdirSync(join(server.profile, 'user'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(`/${runFiles.request}`))
    .map(path => openRun(join(server.profile, 'user', path, '..')))
    .sort((a, b) => a.request.created - b.request.created);
}

function openRun(folder: string): FoundRun {
  const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return {
    folder,
    request: json(runFiles.request) as WorkerRequest,
    worker: () => json(runFiles.process) as WorkerProcess,
    events: () =>
      readFileSync(join(folder, runFiles.events), 'utf8')
        .split('\n')
        // The last line may be half written.
        .slice(0, -1)
        .map(line => JSON.parse(line) as RunEvent),
  };
}

/** Steps that a run has taken so far. */
export const stepsTaken = (run: FoundRun): number =>
  run.events().filter(event => event.type === 'step').length;
