import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { companionNames, largestCompanion, templateFolder } from '../checkpoint/companionNames';
import { readRef } from '../checkpoint/hubCache';
import { MAX_INDEX_BYTES } from '../checkpoint/shardIndex';
import { explainWriteError } from '../checkpoint/writeErrors';
import { CorruptFileError, UserError, type Note } from '../errors';
import { identify, readTextFile } from '../files';
import { formatBytes } from '../format';
import {
  hubReferenceText,
  isCommit,
  isPlainFileName,
  readHubReference,
  type HubReference,
} from '../protocol/hubReference';
import {
  blobOf,
  cachedModel,
  heldBy,
  isThere,
  showBlob,
  snapshotFolder,
  snapshotOf,
  writeRef,
  type CachedModel,
} from './cache';
import type { Asking } from './connection';
import { fetchBlob } from './fetchBlob';
import { neededWeights } from './needed';
import { UnreachableError } from './refusals';
import { commitOf, filesOf, stopped, type RepositoryFile } from './repository';
import type { HubSettings } from './settings';

/** A model that is asked for, and by whom. */
export interface Wanted {
  readonly reference: string;
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
  readonly note: (note: Note) => void;
  readonly wait?: Asking['wait'];
}

/** What has to be fetched of a model; nothing where it lies in the cache. */
export interface Fetching {
  /** With the commit, which never comes to mean another model. */
  readonly reference: string;
  /** Files that are not in the cache, and their bytes without those of parts that are. */
  readonly files: number;
  readonly bytes: number;
  readonly cache: string;
  /**
   * Fetches them. @returns the path of the checkpoint
   * @throws UserError; InterruptedError when it is stopped
   */
  fetch(progress: (arrived: number, file: string) => void): Promise<string>;
}

/** Parses a reference. @throws UserError */
function parse(reference: string): HubReference {
  const parsed = readHubReference(reference);
  if (parsed) return parsed;
  throw new UserError(
    `${JSON.stringify(reference)} names no model on the Hugging Face Hub.`,
    'Write hf://owner/name, or hf://owner/name@revision with a branch, tag or commit.',
  );
}

/**
 * Finds out what has to be fetched of a model. Of a commit that lies whole in the cache nothing is asked;
 * of a branch or tag, which commit it is.
 * @throws UserError, UnreachableError; InterruptedError when it is stopped
 */
export async function openFetching(wanted: Wanted): Promise<Fetching> {
  const named = parse(wanted.reference);
  const subject = hubReferenceText(named);
  const { settings, signal, note, wait } = wanted;
  const asking: Asking = { settings, subject, signal, note, ...(wait && { wait }) };
  const model = cachedModel(settings, named.id);
  return whileNotStopped(asking, async () => {
    const commit = await currentCommit(asking, model, named);
    const folder = await snapshotFolder(model, commit, subject);
    const held = await heldBy(folder, named.file);
    const found = { asking, model, named, commit };
    if (held === 'all') return nothingToFetch(found);
    if (settings.offline) {
      if (held === 'weights') return nothingToFetch(found);
      throw notCached(asking);
    }
    try {
      return await missingOf(found);
    } catch (error) {
      if (!(error instanceof UnreachableError) || held === 'less') throw error;
      note(takenFromCache(error));
      return nothingToFetch(found);
    }
  });
}

/** A model whose commit is known. */
interface Found {
  readonly asking: Asking;
  readonly model: CachedModel;
  readonly named: HubReference;
  readonly commit: string;
}

async function whileNotStopped<T>({ signal, subject }: Asking, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? stopped(subject) : error;
  }
}

/** The commit that is meant: asked for, or as it was when there is no network. */
async function currentCommit(
  asking: Asking,
  model: CachedModel,
  { id, revision }: HubReference,
): Promise<string> {
  if (isCommit(revision)) return revision;
  if (!asking.settings.offline) {
    try {
      return await commitOf(asking, id, revision);
    } catch (error) {
      const known = await readRef(model.folder, revision);
      if (!(error instanceof UnreachableError) || known === undefined) throw error;
      asking.note(takenFromCache(error));
      return known;
    }
  }
  const known = await readRef(model.folder, revision);
  if (known === undefined) throw notCached(asking);
  return known;
}

const takenFromCache = ({ message }: UserError): Note => ({
  message: `${message} What lies in the cache is used, which may not be the newest.`,
  remedy: 'Nothing to do, unless a newer one is wanted.',
});

const notCached = ({ subject, settings }: Asking): UserError =>
  new UserError(
    `${subject} does not lie whole in ${settings.cache}, and nothing is fetched while offline.`,
    'Unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to fetch it, or name a model that lies there.',
  );

const pathOf = ({ model, named: { file }, commit }: Found): string =>
  join(snapshotOf(model, commit), file ?? '');

const pinned = ({ named, commit }: Found): string =>
  hubReferenceText({ ...named, revision: commit });

function nothingToFetch(found: Found): Fetching {
  return {
    reference: pinned(found),
    files: 0,
    bytes: 0,
    cache: found.asking.settings.cache,
    async fetch() {
      // Where the cache may not be written, what lies there is of use all the same.
      await writeRef(found.model, found.named.revision, found.commit).catch(() => undefined);
      return pathOf(found);
    },
  };
}

async function missingOf(found: Found): Promise<Fetching> {
  const { asking, model, named, commit } = found;
  const wanted = await wantedFiles(found);
  const sizes = await Promise.all(wanted.map(file => missingBytes(model, commit, file)));
  const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const { cache } = asking.settings;
  return {
    reference: pinned(found),
    files: sizes.filter(size => size !== undefined).length,
    bytes,
    cache,
    fetch: progress =>
      whileNotStopped(asking, async () => {
        await requireRoom(asking, bytes);
        let before = 0;
        for (const [at, file] of wanted.entries()) {
          const size = sizes[at] ?? 0;
          const had = file.bytes - size;
          const begun = before;
          await fetchFile(found, file, arrived =>
            progress(begun + Math.max(0, arrived - had), file.name),
          );
          before += size;
        }
        await writeRef(model, named.revision, commit);
        return pathOf(found);
      }),
  };
}

/** Config, tokenizer and their like, then weights: who finds the weights finds all. */
async function wantedFiles(found: Found): Promise<readonly RepositoryFile[]> {
  const { asking, named, commit } = found;
  const { files, folders } = await filesOf(asking, named.id, commit);
  const byName = new Map(files.map(file => [file.name, file]));
  const weights = await neededWeights(
    {
      subject: asking.subject,
      names: [...byName.keys()].filter(name => !name.includes('/')),
      read: name => readFetched(found, byName.get(name)!),
    },
    named.file,
  );
  const templates = folders.has(templateFolder)
    ? (await filesOf(asking, named.id, commit, templateFolder)).files.filter(({ name }) =>
        isTemplate(name),
      )
    : [];
  const besides = ['config.json', ...companionNames].flatMap(name => byName.get(name) ?? []);
  const huge = [...besides, ...templates].find(({ bytes }) => bytes > largestCompanion);
  if (huge) {
    throw new CorruptFileError(
      `${asking.subject} has ${huge.name} of ${formatBytes(huge.bytes)}, more than any such file.`,
      'Name another revision of it, or another model.',
    );
  }
  return [...besides, ...templates, ...weights.map(name => byName.get(name)!)];
}

const isTemplate = (path: string): boolean => {
  const [folder, name = '', ...more] = path.split('/');
  const isNamedSo = name.endsWith('.jinja') && isPlainFileName(name);
  return folder === templateFolder && isNamedSo && more.length === 0;
};

/** An index is small, and needed to know what else is. */
async function readFetched(found: Found, file: RepositoryFile): Promise<string> {
  if (file.bytes > MAX_INDEX_BYTES) {
    throw new CorruptFileError(
      `${found.asking.subject} has ${file.name} of ${formatBytes(file.bytes)}, more than any index.`,
      'Name another revision of it, or another model.',
    );
  }
  await fetchFile(found, file, () => undefined);
  return readTextFile(join(snapshotOf(found.model, found.commit), file.name), MAX_INDEX_BYTES);
}

/** Where a snapshot has a file. */
const placeOf = (model: CachedModel, commit: string, { name }: RepositoryFile): string =>
  join(snapshotOf(model, commit), ...name.split('/'));

/** Bytes of a file that have to be fetched; undefined where it is there. */
async function missingBytes(
  model: CachedModel,
  commit: string,
  file: RepositoryFile,
): Promise<number | undefined> {
  const blob = blobOf(model, file.hash.hex);
  // Without links there may be no blob beside the file.
  if ((await isThere(blob)) || (await isThere(placeOf(model, commit, file)))) return undefined;
  const part = await sizeOf(`${blob}.incomplete`);
  return file.bytes - Math.min(part, file.bytes);
}

async function sizeOf(path: string): Promise<number> {
  return (await identify(path))?.size ?? 0;
}

async function fetchFile(
  { asking, model, named, commit }: Found,
  file: RepositoryFile,
  arrived: (bytes: number) => void,
): Promise<void> {
  const blob = blobOf(model, file.hash.hex);
  const path = placeOf(model, commit, file);
  if (await isThere(path)) return;
  if (!(await isThere(blob))) {
    const name = file.name.split('/').map(encodeURIComponent).join('/');
    const address = `${asking.settings.endpoint}/${named.id}/resolve/${commit}/${name}`;
    await fetchBlob(asking, { file, address, blob, arrived });
  }
  await showBlob(model, blob, path);
}

/** Bytes that are left free beside what is fetched. */
const leftFree = 100e6;

async function requireRoom({ settings: { cache }, subject }: Asking, bytes: number): Promise<void> {
  let free: number;
  try {
    await mkdir(cache, { recursive: true });
    const { bavail, bsize } = await statfs(cache);
    free = bavail * bsize;
  } catch (error) {
    throw explainWriteError(error, cache);
  }
  if (free >= bytes + leftFree) return;
  throw new UserError(
    `${subject} takes ${formatBytes(bytes)} on the disk of ${cache}, which has ${formatBytes(free)} free.`,
    'Free some space, or set HF_HUB_CACHE to a folder on another disk.',
  );
}
