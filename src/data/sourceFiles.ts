import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { UserError, type Note } from '../errors';
import { identityOf, isMissing, readRange, type FileIdentity, unreadable } from '../files';
import { counted } from '../format';
import { listed } from './note';

/** A file of a data source. */
export interface SourceFile {
  readonly path: string;
  /** Relative to the path the person gave, with `/`. */
  readonly name: string;
  readonly bytes: number;
  /** Before anything of it was read. */
  readonly identity: FileIdentity;
}

/** Reads part of a file; replaced in tests that count what is read. Fewer bytes only at the end. */
export type ReadBytes = (path: string, position: number, length: number) => Promise<Buffer>;

/** Opens and closes the file for each read, so that a folder of any number of files holds no handle. */
export const readBytes: ReadBytes = async (path, position, length) => {
  let handle;
  try {
    handle = await open(path, 'r');
    return await readRange(handle, position, length);
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    await handle?.close();
  }
};

/** Whether a path is a folder; UserError when there is nothing at the path. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (!isMissing(cause)) throw unreadable(path, cause);
    throw new UserError(
      `There is no file or folder ${path}.`,
      'Check the spelling of the data path; a relative path starts at the current folder.',
      { cause },
    );
  }
}

const sourceFile = (path: string, name: string, identity: FileIdentity): SourceFile => ({
  path,
  name,
  bytes: identity.size,
  identity,
});

/** The order of code units: the same on every machine, whatever its language. */
const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/** Why an entry of a folder is no data. */
export type LeftOut =
  'hidden' | 'broken link' | 'link to a folder that is read already' | 'no regular file';

/** What a walk meets: a file, or something that is left out. */
type Entry =
  | { readonly kind: 'file'; readonly file: SourceFile }
  | { readonly kind: LeftOut; readonly name: string };

/** A link's target, or undefined where it leads nowhere. */
async function targetOf(path: string) {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (isMissing(cause) || code === 'ELOOP') return undefined;
    throw unreadable(path, cause);
  }
}

/**
 * Everything a folder holds, sorted by name at every level. Links are followed, as those of the Hugging
 * Face cache must be, but into no folder twice, which ends circles too.
 * @param entered the real paths of the folders that were entered so far
 */
async function* walk(folder: string, prefix: string, entered: Set<string>): AsyncGenerator<Entry> {
  let entries;
  try {
    entered.add(await realpath(folder));
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw unreadable(folder, cause);
  }
  for (const entry of entries.sort(byName)) {
    const path = join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.name.startsWith('.')) {
      yield { kind: 'hidden', name: entry.isDirectory() ? `${name}/` : name };
      continue;
    }
    const found = await targetOf(path);
    if (!found) yield { kind: 'broken link', name };
    else if (found.isDirectory()) {
      if (entered.has(await realpath(path))) {
        yield { kind: 'link to a folder that is read already', name };
      } else yield* walk(path, `${name}/`, entered);
    } else if (found.isFile()) {
      yield { kind: 'file', file: sourceFile(path, name, identityOf(found)) };
    } else yield { kind: 'no regular file', name };
  }
}

/** What a folder holds, by whether it is data. */
export interface FolderListing {
  /** Those that end in one of the extensions. */
  readonly files: readonly SourceFile[];
  /** Regular files with other extensions. */
  readonly others: readonly SourceFile[];
  readonly leftOut: readonly { readonly name: string; readonly why: LeftOut }[];
}

/** The files of a folder and below that end in one of `extensions`, and what else there is. */
export async function listFolder(
  folder: string,
  extensions: readonly string[],
): Promise<FolderListing> {
  const files: SourceFile[] = [];
  const others: SourceFile[] = [];
  const leftOut: { name: string; why: LeftOut }[] = [];
  for await (const entry of walk(folder, '', new Set())) {
    if (entry.kind !== 'file') leftOut.push({ name: entry.name, why: entry.kind });
    else if (extensions.includes(extname(entry.file.name).toLowerCase())) files.push(entry.file);
    else others.push(entry.file);
  }
  return { files, others, leftOut };
}

/** What systems and editors put into folders by themselves, which nobody takes for data. */
const systemNames =
  /^(\.DS_Store|\._.*|\.git.*|\.cache|\.ipynb_checkpoints|Thumbs\.db|desktop\.ini)$/;

const isSystem = (name: string): boolean =>
  systemNames.test(basename(name.endsWith('/') ? name.slice(0, -1) : name));

/** How many of each extension there are: `2 × .csv`, with the names where there are few. */
export function extensionsOf(files: readonly { readonly name: string }[]): string {
  const byExtension = new Map<string, string[]>();
  for (const { name } of files) {
    const extension = extname(name).toLowerCase() || 'no extension';
    byExtension.set(extension, [...(byExtension.get(extension) ?? []), name]);
  }
  return [...byExtension]
    .map(([extension, names]) => `${names.length} × ${extension} (${listed(names, 2)})`)
    .join(', ');
}

/** Says what of a folder is not read, and why. @param kinds what is read, for the sentence */
export function leftOutNotes(
  folder: string,
  {
    others,
    leftOut,
  }: Pick<FolderListing, 'leftOut'> & { readonly others: readonly Pick<SourceFile, 'name'>[] },
  kinds: string,
): Note[] {
  const notes: Note[] = [];
  const strangers = others.filter(({ name }) => !isSystem(name));
  if (strangers.length > 0) {
    notes.push({
      message: `Files in ${folder} that are no ${kinds} were left out: ${extensionsOf(strangers)}.`,
      remedy: 'Convert them where they are data, or move them elsewhere.',
    });
  }
  const why = (reason: LeftOut): string[] =>
    leftOut.flatMap(({ name, why }) => (why === reason && !isSystem(name) ? [name] : []));
  const hidden = why('hidden');
  if (hidden.length > 0) {
    notes.push({
      message: `Hidden files and folders in ${folder} were left out: ${listed(hidden)}.`,
      remedy: 'Give those that are data names without a leading dot.',
    });
  }
  const unusable = leftOut.filter(entry => entry.why !== 'hidden');
  if (unusable.length > 0) {
    const names = unusable.map(({ name, why: reason }) => `${name} (${reason})`);
    notes.push({
      message: `${counted(unusable.length, 'entry', 'entries')} of ${folder} cannot be read and ${unusable.length === 1 ? 'was' : 'were'} left out: ${listed(names)}.`,
      remedy: 'Put the files themselves there, or remove the entries.',
    });
  }
  return notes;
}

/** A path that is a file as the only file of a source. Throws UserError for pipes and devices. */
export async function singleFile(path: string): Promise<SourceFile> {
  const found = await stat(path, { bigint: true });
  if (!found.isFile()) {
    throw new UserError(
      `${path} is no regular file but a pipe, a socket or a device.`,
      'Write the data into a file first: runs read it at any place and more than once.',
    );
  }
  return sourceFile(path, basename(path), identityOf(found));
}
