/** A model on the Hugging Face Hub, as a person names it: `hf://owner/name[@revision][/file]`. */
export interface HubReference {
  /** `owner/name`; of the oldest models `name` alone. */
  readonly id: string;
  /** Branch, tag or commit; `main` where none is named. */
  readonly revision: string;
  /** One of its files of weights, where several are there. */
  readonly file?: string;
}

const scheme = 'hf://';

/** Whether a path is meant to name a model on the Hub. */
export const isHubReference = (text: string): boolean => text.startsWith(scheme);

/** Parts of the Hub that hold no models. */
const otherKinds = new Set(['buckets', 'datasets', 'kernels', 'models', 'papers', 'spaces']);

const shape =
  /^(?<id>[^@/]+(?:\/[^@/]+)?)(?:@(?<revision>refs\/(?:pr|convert)\/[^/]+|[^@/]+))?(?:\/(?<file>[^@/]+))?$/;

const isPlainName = (name: string): boolean =>
  /^\w(?:[\w.-]{0,94}\w)?$/.test(name) && !/--|\.\.|\.git$/.test(name);

/** Whether git lets a branch or tag be called so. */
const isRevision = (name: string): boolean =>
  /^\w[\w.+/-]{0,199}$/.test(name) && !/\.\.|\/\/|\/\.|\.lock$|[./]$/.test(name);

/** Whether a file may be called so on every system. */
export const isPlainFileName = (name: string): boolean =>
  /^\w[\w.+=-]{0,199}$/.test(name) && !name.endsWith('.');

/** What a text names, with or without `hf://`; undefined where it names no model. */
export function readHubReference(text: string): HubReference | undefined {
  const named = isHubReference(text) ? text.slice(scheme.length) : text;
  const { id, revision: given = 'main', file } = shape.exec(named)?.groups ?? {};
  if (id === undefined) return undefined;
  const revision = given.replaceAll(/%2f/gi, '/');
  const parts = id.split('/');
  if (!parts.every(isPlainName) || otherKinds.has(parts[0]!)) return undefined;
  if (!isRevision(revision) || (file !== undefined && !isPlainFileName(file))) return undefined;
  return { id, revision, ...(file !== undefined && { file }) };
}

/** The reference as text. */
export function hubReferenceText({ id, revision, file }: HubReference): string {
  const isOwnKind = /^refs\/(pr|convert)\/[^/]+$/.test(revision);
  const at = `@${isOwnKind ? revision : revision.replaceAll('/', '%2F')}`;
  // Without it, a name alone and a file would read as owner and name.
  const needsRevision = revision !== 'main' || (file !== undefined && !id.includes('/'));
  return `${scheme}${id}${needsRevision ? at : ''}${file === undefined ? '' : `/${file}`}`;
}

/** A full commit, which never comes to hold anything else. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

const inCache = /[\\/]models--([^\\/]+)[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/]|$)/;

/** The model and commit that a path within the Hugging Face cache stands for; undefined of other paths. */
export function hubPlaceOf(path: string): HubReference | undefined {
  const [, folder, revision] = inCache.exec(path) ?? [];
  if (folder === undefined || revision === undefined) return undefined;
  const parts = folder.split('--');
  return parts.length <= 2 && parts.every(isPlainName)
    ? { id: parts.join('/'), revision }
    : undefined;
}

/** Where a checkpoint comes from, for receipts: the Hub for what lies in its cache, else the path given. */
export function sourceName(path: string, directory: string): string {
  const place = hubPlaceOf(directory);
  return place ? hubReferenceText(place) : path;
}
