import { parseManifest } from '../checkpoint/formats/tfjs/manifest';
import { noCheckpointIn } from '../checkpoint/formats/recognise';
import { parseJsonObject } from '../checkpoint/jsonText';
import { quoted } from '../checkpoint/names';
import { parseShardIndex } from '../checkpoint/shardIndex';
import { areOneSeries } from '../checkpoint/shardSeries';
import { candidatesAmong } from '../checkpoint/weightFiles';
import { CorruptFileError, UserError } from '../errors';
import { isPlainFileName } from '../protocol/hubReference';
import { usualFiles } from '../protocol/weightNames';

/** A folder of a model, here or on the Hub. */
export interface ModelFolder {
  /** What it is called in messages. */
  readonly subject: string;
  /** Of the files in it, without those of folders below. */
  readonly names: readonly string[];
  /** The text of a file that tells which others are needed. */
  readonly read: (name: string) => Promise<string>;
}

/**
 * The files of weights that are needed of a model: those that would be opened of the folder, with the
 * shards that an index or a manifest names; or the one that was named.
 * @throws UserError where there is none, several are, or some are missing
 */
export async function neededWeights(
  folder: ModelFolder,
  named: string | undefined,
): Promise<readonly string[]> {
  const chosen = named === undefined ? usualOf(folder) : namedOf(folder, named);
  const [first] = chosen as readonly [string];
  const more = chosen.length === 1 ? await filesNamedBy(folder, first) : [];
  const needed = [...chosen, ...more];
  const missing = needed.find(name => !folder.names.includes(name));
  if (missing !== undefined) {
    throw new CorruptFileError(
      `${folder.subject} lacks ${quoted(missing)}, which ${first} names.`,
      'Name another revision of it, or another model.',
    );
  }
  const odd = needed.find(name => !isPlainFileName(name));
  if (odd !== undefined) {
    throw new UserError(
      `${folder.subject} has weights in ${quoted(odd)}, a name that not every system allows.`,
      'Ask its owner to rename that file, or download it yourself and give its path.',
    );
  }
  return needed;
}

function usualOf({ subject, names }: ModelFolder): readonly string[] {
  const usual = usualFiles.find(name => names.includes(name));
  if (usual !== undefined) return [usual];
  const candidates = candidatesAmong(names);
  const [only, ...others] = candidates;
  if (only === undefined) throw noCheckpointIn(subject, names);
  if (others.length > 0 && !areOneSeries(candidates)) {
    const shown = candidates.slice(0, 8).join(', ') + (candidates.length > 8 ? ', …' : '');
    throw new UserError(
      `${subject} holds several checkpoints: ${shown}.`,
      `Name the one you mean behind it: ${subject}/${only}.`,
    );
  }
  return candidates;
}

function namedOf({ subject, names }: ModelFolder, named: string): readonly string[] {
  if (!names.includes(named)) {
    throw new UserError(
      `${subject} has no file ${quoted(named)}.`,
      'Check its name in the list of files on the model’s page.',
    );
  }
  // A shard is of use with all others; an index, where there is one, is what should be named.
  return names.filter(name => name === named || areOneSeries([name, named]));
}

/** The files that an index or a manifest names; none of files that hold weights themselves. */
async function filesNamedBy(folder: ModelFolder, name: string): Promise<readonly string[]> {
  const file = `${folder.subject}/${name}`;
  if (name.endsWith('.index.json')) return parseShardIndex(await folder.read(name), file).shards;
  if (name !== 'model.json') return [];
  const fail = (what: string): never => {
    throw new CorruptFileError(`${file}: ${what}.`, 'Name another model.');
  };
  const text = await folder.read(name);
  let manifest;
  try {
    manifest = parseJsonObject(text, { depth: 64, keys: 4_000_000 })['weightsManifest'];
  } catch (error) {
    return fail(`it cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
  return manifest === undefined ? [] : parseManifest(manifest, fail).flatMap(({ paths }) => paths);
}
