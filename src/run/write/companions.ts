import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { companionNames, largestCompanion, templateFolder } from '../../checkpoint/companionNames';
import { explainWriteError } from '../../checkpoint/outputFolder';
import { CorruptFileError, UnsupportedError, UserError, type Note } from '../../errors';
import {
  explainReadError,
  identify,
  ifThere,
  isSameFile,
  ownPath,
  readOwn,
  type FileIdentity,
} from '../../files';
import { writeNew } from './writeNew';

/** A file that was copied, as the receipt tells of it. */
export interface Companion {
  readonly name: string;
  /** Of its contents, as 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Copies of a checkpoint's companions, made when a run starts. */
export interface Companions {
  readonly files: readonly Companion[];
  /** Makes sure that what was read of them since is what was copied. @throws CorruptFileError */
  requireSame(): Promise<void>;
  /** Says which were changed since: the copies stay as they are. */
  notes(): Promise<Note[]>;
}

/**
 * Copies a checkpoint's tokenizer, preprocessor and their like into a folder, before anything is
 * computed: what replaces them later does not get into the result. A link out of the checkpoint's folder
 * is refused, as are pipes and devices. Those that the weights' own file tells are written like them.
 * @throws UserError
 */
export async function copyCompanions(
  { directory: from, companions }: Pick<Checkpoint, 'directory' | 'companions'>,
  to: string,
): Promise<Companions> {
  const names = [...companionNames, ...(await templatesIn(from))];
  const seen = new Map<string, Seen>();
  for (const name of names) {
    const file = await readOwn(from, name, largestCompanion);
    seen.set(name, file && { identity: file.identity, sha256: digest(file.bytes) });
    if (file) await writeInFolder(join(to, name), file.bytes);
  }
  const { made, unmade } = await writeMade(companions, to);
  const changed = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const [name, before] of seen) if (await isChanged(from, name, before)) found.push(name);
    return found;
  };
  return {
    files: [
      ...[...seen].flatMap(([name, file]) => (file ? [{ name, sha256: file.sha256 }] : [])),
      ...made,
    ],
    async requireSame() {
      const [name] = await changed();
      if (name === undefined) return;
      throw new CorruptFileError(
        `${join(from, name)} was changed or replaced while the run began.`,
        'Leave the checkpoint as it is and start again.',
      );
    },
    async notes() {
      const names = await changed();
      if (names.length === 0) return unmade;
      const plural = names.length === 1 ? '' : 's';
      return [
        ...unmade,
        {
          message: `${names.join(', ')} beside the checkpoint changed during the run; the result has the file${plural} that it started with.`,
          remedy: 'Compare them if the new ones were meant.',
        },
      ];
    },
  };
}

/** Writes those that the weights' own file tells, and says which it cannot be made to tell. */
async function writeMade(
  companions: Checkpoint['companions'],
  to: string,
): Promise<{ readonly made: readonly Companion[]; readonly unmade: Note[] }> {
  const made: Companion[] = [];
  try {
    const texts = await Promise.all(
      [...companions].map(async ([name, make]) => [name, await make()] as const),
    );
    for (const [name, text] of texts) {
      const bytes = new TextEncoder().encode(text);
      await writeInFolder(join(to, name), bytes);
      made.push({ name, sha256: digest(bytes) });
    }
    return { made, unmade: [] };
  } catch (error) {
    // What is written without them is whole all the same.
    if (!(error instanceof CorruptFileError || error instanceof UnsupportedError)) throw error;
    return { made, unmade: [{ message: error.message, remedy: error.remedy }] };
  }
}

/** A companion as it was read, or that there was none. */
type Seen = { readonly identity: FileIdentity; readonly sha256: string } | undefined;

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Whether a companion holds something else by now; it is read only where its times tell of a change. */
async function isChanged(from: string, name: string, before: Seen): Promise<boolean> {
  const now = await identify(join(from, name));
  if (before === undefined || now === undefined) return before !== now;
  if (isSameFile(before.identity, now) && before.identity.changed === now.changed) return false;
  try {
    const file = await readOwn(from, name, largestCompanion);
    return file === undefined || digest(file.bytes) !== before.sha256;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}

/** The names of further chat templates. */
async function templatesIn(folder: string): Promise<string[]> {
  try {
    const names = await ifThere(ownPath(folder, templateFolder).then(path => readdir(path)));
    return (names ?? [])
      .filter(name => name.endsWith('.jinja'))
      .sort()
      .map(name => `${templateFolder}/${name}`);
  } catch (error) {
    throw explainReadError(error, join(folder, templateFolder));
  }
}

/** Writes a file into a folder that may not be there yet. @throws UserError when the disk refuses */
async function writeInFolder(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw explainWriteError(error, path);
  }
  await writeNew(path, bytes);
}
