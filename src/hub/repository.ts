import { listFiles, modelInfo } from '@huggingface/hub';
import { quoted, shardNameProblem } from '../checkpoint/names';
import { CorruptFileError, InterruptedError, UserError } from '../errors';
import { formatCount } from '../format';
import { isCommit } from '../protocol/hubReference';
import { asFetch, type Asking } from './connection';
import { unreachable } from './refusals';

/** By what a file is known to be what was asked for. */
export interface FileHash {
  /** Of LFS files SHA-256, of others git's own: SHA-1 of a header and the bytes. */
  readonly kind: 'sha256' | 'git';
  /** Also the name of its blob in the cache. */
  readonly hex: string;
}

/** A file of a model on the Hub. */
export interface RepositoryFile {
  readonly name: string;
  readonly bytes: number;
  readonly hash: FileHash;
}

/** Most files that a list may have. */
const mostFiles = 100_000;

/** The commit that a branch or tag stands for now. @throws UserError */
export async function commitOf(asking: Asking, id: string, revision: string): Promise<string> {
  const info = await askedThrough(asking, () =>
    modelInfo({
      name: id,
      revision,
      additionalFields: ['sha'],
      hubUrl: asking.settings.endpoint,
      fetch: asFetch(asking),
    }),
  );
  const commit: unknown = info.sha;
  if (typeof commit === 'string' && isCommit(commit)) return commit;
  throw strange(asking, 'does not say which commit it is');
}

/** The files of a commit: of its top folder, and of one below where that is named. @throws UserError */
export async function filesOf(
  asking: Asking,
  id: string,
  commit: string,
  folder?: string,
): Promise<{ readonly files: readonly RepositoryFile[]; readonly folders: ReadonlySet<string> }> {
  const files: RepositoryFile[] = [];
  const folders = new Set<string>();
  await askedThrough(asking, async () => {
    let count = 0;
    const entries = listFiles({
      repo: { type: 'model', name: id },
      revision: commit,
      ...(folder !== undefined && { path: folder }),
      hubUrl: asking.settings.endpoint,
      fetch: asFetch(asking),
    });
    for await (const { type, path, size, oid, lfs } of entries) {
      if (++count > mostFiles)
        throw strange(asking, `lists more than ${formatCount(mostFiles)} files`);
      // The library hands on what the answer says, checked by nobody.
      const name: unknown = path;
      const problem = typeof name === 'string' ? shardNameProblem(name) : 'is no text';
      if (problem !== undefined) {
        throw strange(asking, `lists a file whose name ${quoted(String(name))} ${problem}`);
      }
      if (type === 'directory') folders.add(path);
      if (type !== 'file') continue;
      const hash: FileHash = lfs
        ? { kind: 'sha256', hex: lfs.oid }
        : { kind: 'git', hex: oid ?? '' };
      const bytes = lfs?.size ?? size;
      const isHash = lfs ? /^[0-9a-f]{64}$/.test(hash.hex) : isCommit(hash.hex);
      if (!isHash || !Number.isSafeInteger(bytes) || bytes < 0) {
        throw strange(asking, `does not tell size and hash of ${quoted(path)}`);
      }
      files.push({ name: path, bytes, hash });
    }
  });
  return { files, folders };
}

/** What an answer has to do with the model, where it is not what the Hub answers. */
function strange({ subject, settings }: Asking, what: string): CorruptFileError {
  return new CorruptFileError(
    `${subject} ${what}.`,
    `Nothing was fetched. Check that ${settings.endpoint} is a Hugging Face Hub.`,
  );
}

/** Asks through the library; what is no answer of a Hub is said, not thrown as it is. */
async function askedThrough<T>(asking: Asking, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (asking.signal.aborted) throw stopped(asking.subject);
    if (error instanceof UserError) throw error;
    // A stream that fails hands on what it failed with, in an error of its own.
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof UserError) throw cause;
    if (error instanceof SyntaxError) throw strange(asking, 'is answered with what is no JSON');
    if (error instanceof TypeError && cause !== undefined) {
      throw unreachable(new URL(asking.settings.endpoint).host, error);
    }
    if (error instanceof TypeError) throw strange(asking, 'is answered with JSON of another shape');
    throw error;
  }
}

/** A person stopped it. */
export const stopped = (subject: string): InterruptedError =>
  new InterruptedError(
    `Fetching ${subject} was stopped; what has arrived is kept.`,
    'Name it again to go on from there.',
  );
