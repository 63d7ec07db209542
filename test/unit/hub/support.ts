import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Note } from '../../../src/errors';
import { openFetching, type Wanted } from '../../../src/hub/obtain';
import type { HubSettings } from '../../../src/hub/settings';
import type { HubServer } from '../../support/hubServer';

export { servedCommit as commit, servedExample as served } from '../../support/hubServer';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-hub-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const settingsFor = (
  { endpoint }: Pick<HubServer, 'endpoint'>,
  more: Partial<HubSettings> = {},
): HubSettings => ({
  endpoint,
  cache: temporaryFolder(),
  offline: false,
  copies: false,
  ...more,
});

/** What happened while a model was fetched. */
export interface Fetched {
  readonly path: string;
  readonly reference: string;
  readonly files: number;
  readonly bytes: number;
  readonly notes: readonly Note[];
  readonly waits: readonly number[];
}

/** Fetches a model as a command does, without waiting for real. */
export async function fetchModel(
  reference: string,
  settings: HubSettings,
  more: Partial<Wanted> & { readonly progress?: (arrived: number, file: string) => void } = {},
): Promise<Fetched> {
  const notes: Note[] = [];
  const waits: number[] = [];
  const { progress = () => undefined, ...given } = more;
  const fetching = await openFetching({
    reference,
    settings,
    signal: new AbortController().signal,
    note: note => notes.push(note),
    wait: milliseconds => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    ...given,
  });
  const path = await fetching.fetch(progress);
  return {
    path,
    reference: fetching.reference,
    files: fetching.files,
    bytes: fetching.bytes,
    notes,
    waits,
  };
}
