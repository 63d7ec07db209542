import { CorruptFileError, type Note } from '../errors';
import { identify, isSameFile } from '../files';
import { counted } from '../format';
import type { BatchSource, DataDescription } from './batches';
import { describeData } from './description';
import { listed } from './note';
import type { ReadBytes, SourceFile } from './sourceFiles';

/** A description of files, and a look at whether it is still true. */
type DescribedFiles = Pick<BatchSource, 'description' | 'requireUnchanged'>;

/**
 * Describes the files of a source for the receipt, and watches over them from when they were found: see
 * `describeData`.
 */
export async function describeFiles(
  files: readonly SourceFile[],
  heldOut: string,
  read?: ReadBytes,
): Promise<DescribedFiles> {
  const description = await describeData(files, heldOut, read);
  const digest = async (): Promise<string> => (await describeData(files, heldOut, read)).sha256;
  return { description, requireUnchanged: () => requireUnchanged(files, description, digest) };
}

/** The most files that the system is asked about at a time. */
const askedAtOnce = 64;

/**
 * Makes sure that files hold what they held. Their contents are read again only where the system tells of
 * a change to a file or its name.
 */
async function requireUnchanged(
  files: readonly SourceFile[],
  { sha256, hashed }: DataDescription,
  digest: () => Promise<string>,
): Promise<readonly Note[]> {
  const suspects: SourceFile[] = [];
  const touched: string[] = [];
  for (let from = 0; from < files.length; from += askedAtOnce) {
    const some = files.slice(from, from + askedAtOnce);
    const now = await Promise.all(some.map(({ path }) => identify(path)));
    some.forEach((file, index) => {
      const found = now[index];
      if (found?.size !== file.bytes) throw changed(file);
      const same = isSameFile(found, file.identity);
      if (!same) touched.push(file.name);
      if (!same || found.changed !== file.identity.changed) suspects.push(file);
    });
  }
  const [suspect] = suspects;
  if (suspect === undefined) return [];
  if ((await digest()) !== sha256) throw changed(suspect);
  return touched.length > 0 ? [touchedNote(touched, hashed)] : [];
}

const changed = ({ path }: SourceFile): CorruptFileError =>
  new CorruptFileError(
    `${path} was changed or replaced while the run read it.`,
    'Leave data as they are during a run; put them back as they were, or start again with the new ones.',
  );

/** Says so of files that are as they were, since nobody knows what they were in between. */
function touchedNote(names: readonly string[], hashed: DataDescription['hashed']): Note {
  const were = names.length === 1 ? 'was' : 'were';
  const hold = names.length === 1 ? 'it holds' : 'they hold';
  const sure = hashed === 'contents' ? '' : ', as far as samples tell';
  return {
    message: `${counted(names.length, 'data file')} ${were} written or replaced during the run: ${listed(names)}; now ${hold} what the run began with${sure}.`,
    remedy: 'Run again if something else may have been there meanwhile.',
  };
}
