import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { CorruptFileError, UnsupportedError, UserError, type Note } from '../errors';
import { shortJson } from '../format';
import { explainReadError, identify, openRegular, ownPath } from '../files';
import { seeBeside } from './fileBeside';
import type { FileBeside, FileContents } from './formats/format';
import { HEAD_BYTES, openJson, recognise } from './formats/recognise';
import type { JsonObject } from './jsonText';
import { quoted } from './names';
import { isLfsPointer, lfsRemedy } from './lfsPointer';
import { OpenFiles, readFully, type SeenFile } from './openFiles';
import { MAX_INDEX_BYTES, parseShardIndex } from './shardIndex';
import { shardSeriesOf, type ShardSeries } from './shardSeries';
import { MAX_TENSORS, type TensorInfo } from './tensor';

interface OpenedFile {
  /** The id of its format; `json` for an index. */
  readonly format: string;
  readonly seen: SeenFile;
  /** Files that it names, by what messages call them. */
  readonly others: ReadonlyMap<string, SeenFile>;
  readonly content: { readonly index: string } | FileContents;
}

/** A file of a checkpoint: what messages call it, and where it really lies. */
interface Place {
  readonly file: string;
  readonly path: string;
}

/** Reads and validates no more of a file than its header, or the whole of an index. */
async function openFile({ file, path }: Place, indexAllowed: boolean): Promise<OpenedFile> {
  const { handle, identity } = await openRegular(path);
  const seen = { path, identity };
  const others = new Map<string, SeenFile>();
  const openOthers = new OpenFiles(others);
  try {
    const { size } = identity;
    const head = new Uint8Array(Math.min(size, HEAD_BYTES));
    await readFully(handle, head, 0, file);
    const read = async (begin: number, end: number, other?: string): Promise<Uint8Array> => {
      const bytes = new Uint8Array(end - begin);
      if (other === undefined || other === file) await readFully(handle, bytes, begin, file);
      else await openOthers.read(other, begin, bytes);
      return bytes;
    };
    const beside = async (name: string): Promise<FileBeside> => {
      const other = await seeBeside(file, name);
      others.set(other.file, other.seen);
      return { file: other.file, size: other.seen.identity.size };
    };
    const opened = { file, size, head, read, beside };
    const format = await recogniseAt(head, size, file);
    if (format === 'json') {
      if (!indexAllowed) {
        throw new CorruptFileError(
          `${file} is JSON where a file of tensors should be.`,
          'Download the shard again.',
        );
      }
      if (size > MAX_INDEX_BYTES) {
        throw new CorruptFileError(
          `${file} is JSON of ${size} bytes; an index has at most ${MAX_INDEX_BYTES}.`,
          'Give a file of weights or the folder that holds it.',
        );
      }
      const text = new TextDecoder().decode(await read(0, size));
      const model = await openJson(text, opened);
      if (model) return { format: 'tfjs', seen, others, content: model };
      return { format, seen, others, content: { index: text } };
    }
    return { format: format.id, seen, others, content: await format.open(opened) };
  } catch (error) {
    throw explainReadError(error, file);
  } finally {
    await openOthers.close();
    await handle.close();
  }
}

/** What a file is, or what helps where it is none that is read. @throws UserError */
async function recogniseAt(head: Uint8Array, size: number, file: string) {
  try {
    return recognise(head, size, file);
  } catch (error) {
    if (!(error instanceof UnsupportedError) || !isLfsPointer(head)) throw error;
    throw new UnsupportedError(error.message, await lfsRemedy(file));
  }
}

/** What the headers of a checkpoint's files say, all of them validated. */
export interface CheckpointContents {
  /** The id of the files' format; of shards, of the first that could be read. */
  readonly format?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensors that an index names although no shard holds them, with the shard it gives. */
  readonly absent: ReadonlyMap<string, string>;
  /** Bytes of all tensors together. */
  readonly bytes: number;
  /** The files that hold tensors, in the order of their names. */
  readonly files: ReadonlyMap<string, SeenFile>;
  /** The config.json that the files themselves tell, in formats that need none beside them. */
  readonly config?: JsonObject;
  /** Why they tell none, in such formats. */
  readonly noConfig?: UserError;
  /** Files beside them that a file tells itself. */
  readonly companions?: FileContents['companions'];
  readonly notes: readonly Note[];
  /** What keeps it from being used; what could be read is listed all the same. */
  readonly problems: readonly UserError[];
}

/** Up to three names for a message, with how many more there are. */
function some(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(quoted).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** Shards read together as transformers does: all of their tensors, of a name the last one's. */
async function readShards(
  folder: string,
  shards: readonly string[],
): Promise<{
  readonly contents: CheckpointContents;
  /** By tensor. */
  readonly shardOf: ReadonlyMap<string, string>;
  /** Bytes of the tensors where those that share some count once. */
  readonly bytesOnce: number;
}> {
  const files = new Map<string, SeenFile>();
  const tensors = new Map<string, TensorInfo>();
  const shardOf = new Map<string, string>();
  const problems: UserError[] = [];
  const notes: Note[] = [];
  const twice: string[] = [];
  let format: string | undefined;
  let metadata: Readonly<Record<string, string>> | undefined;
  let bytesOnce = 0;
  for (const shard of shards) {
    const file = join(folder, shard);
    let opened: OpenedFile;
    try {
      opened = await openFile({ file, path: await ownPath(folder, shard) }, false);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error);
      continue;
    }
    const { seen, others, content } = opened;
    if ('index' in content) throw new Error('an index is not allowed here');
    for (const [name, one] of [[file, seen] as const, ...others]) files.set(name, one);
    format ??= opened.format;
    metadata ??= content.metadata;
    notes.push(...(content.notes ?? []));
    bytesOnce += content.bytesOnce ?? content.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    problems.push(...(content.problems ?? []));
    for (const tensor of content.tensors) {
      if (tensors.has(tensor.name)) twice.push(tensor.name);
      tensors.set(tensor.name, tensor);
      shardOf.set(tensor.name, shard);
    }
    if (tensors.size > MAX_TENSORS) {
      throw new CorruptFileError(
        `The shards in ${folder} hold more than ${MAX_TENSORS} tensors.`,
        'Download the checkpoint again.',
      );
    }
  }
  if (twice.length > 0) {
    notes.push({
      message: `Several shards hold ${some(twice)}; what the last one holds is used, as transformers does.`,
      remedy: 'Check that the shards belong to one checkpoint.',
    });
  }
  const contents = {
    ...(format !== undefined && { format }),
    metadata: metadata ?? {},
    tensors,
    absent: new Map(),
    bytes: bytesOf(tensors),
    files,
    notes,
    problems,
  };
  return { contents, shardOf, bytesOnce };
}

async function openSharded(indexFile: string, text: string): Promise<CheckpointContents> {
  const index = parseShardIndex(text, indexFile);
  const folder = dirname(indexFile);
  const present: string[] = [];
  const missing: string[] = [];
  for (const shard of index.shards) {
    const isThere = (await identify(join(folder, shard))) !== undefined;
    (isThere ? present : missing).push(shard);
  }
  const { contents: read, shardOf, bytesOnce } = await readShards(folder, present);
  const notes = [...read.notes];
  const problems = [...read.problems];
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).map(quoted).join(', ') + (missing.length > 5 ? ', …' : '');
    problems.push(
      new CorruptFileError(
        `${missing.length} of ${index.shards.length} shards that ${indexFile} names ${missing.length === 1 ? 'is' : 'are'} missing: ${shown}.`,
        'Download the missing files into the same folder.',
      ),
    );
  }
  const elsewhere = [...shardOf].filter(([name, shard]) => index.shardOfTensor.get(name) !== shard);
  if (elsewhere.length > 0) {
    notes.push({
      message: `The index does not place ${some(elsewhere.map(([name]) => name))} where the shards hold them; they are read where they are, as transformers does.`,
      remedy: 'Check that the index and the shards come from the same version.',
    });
  }
  const absent = new Map([...index.shardOfTensor].filter(([name]) => !read.tensors.has(name)));
  const whole = problems.length === 0;
  if (whole && absent.size > 0) {
    notes.push({
      message: `The index names ${some([...absent.keys()])}, which no shard holds.`,
      remedy: 'Nothing is lost if the model does not need them; else download the shards again.',
    });
  }
  const { totalSize } = index;
  if (whole && totalSize !== undefined && totalSize !== read.bytes && totalSize !== bytesOnce) {
    notes.push({
      message: `The index states ${shownSize(totalSize)} bytes in total (total_size), but its tensors take ${read.bytes}.`,
      remedy: 'Check that the index and the shards come from the same version.',
    });
  }
  return { ...read, absent, notes, problems };
}

/** A number out of a file for a message, whatever stands in its place. */
const shownSize = (value: unknown): string =>
  typeof value === 'number' ? String(value) : quoted(shortJson(value, Infinity));

/** A shard opened by its own name, or the whole series it begins where no index tells of it. */
async function openSeries(
  file: string,
  series: ShardSeries,
  alone: CheckpointContents,
): Promise<CheckpointContents> {
  const { shards, missing, count, index, hasIndex } = series;
  if (hasIndex) {
    const problem = new UserError(
      `${file} is one of the ${count} shards of a checkpoint.`,
      `Give the folder it lies in, or ${index}.`,
    );
    return { ...alone, problems: [problem] };
  }
  const folder = dirname(file);
  const { contents: read } = await readShards(folder, shards);
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
    const problem = new CorruptFileError(
      `${folder} lacks ${missing.length} of ${count} shards (${shown}) and the index ${index}.`,
      'Download the missing files into the same folder.',
    );
    return { ...read, problems: [...read.problems, problem] };
  }
  const note = {
    message: `There is no ${index}; the ${count} shards were read together, as their names tell.`,
    remedy: 'Download the index too: transformers does not find the shards without it.',
  };
  return { ...read, notes: [...read.notes, note] };
}

function bytesOf(tensors: ReadonlyMap<string, TensorInfo>): number {
  let bytes = 0;
  for (const tensor of tensors.values()) bytes += tensor.bytes;
  return bytes;
}

/** A file that a person named may be a link to anywhere; one that was found belongs to its folder. */
async function placeOf(file: string, named: boolean): Promise<Place> {
  if (!named) return { file, path: await ownPath(dirname(file), basename(file)) };
  try {
    return { file, path: await realpath(file) };
  } catch (error) {
    throw explainReadError(error, file);
  }
}

/**
 * Reads the headers of a checkpoint, given a file of them, the index of a sharded one, or one of
 * its shards; no values.
 * @param named whether a person named this very file, and not the folder it was found in
 * @throws UserError, CorruptFileError, UnsupportedError
 */
export async function readContents(file: string, named: boolean): Promise<CheckpointContents> {
  const { format, seen, others, content } = await openFile(await placeOf(file, named), true);
  if ('index' in content) return openSharded(file, content.index);
  const tensors = new Map(content.tensors.map(tensor => [tensor.name, tensor]));
  const contents: CheckpointContents = {
    format,
    metadata: content.metadata,
    tensors,
    absent: new Map(),
    bytes: bytesOf(tensors),
    files: new Map([[file, seen], ...others]),
    ...(content.config && { config: content.config }),
    ...(content.noConfig && { noConfig: content.noConfig }),
    ...(content.companions && { companions: content.companions }),
    notes: content.notes ?? [],
    problems: content.problems ?? [],
  };
  const series = await shardSeriesOf(file);
  return series && series.count > 1 ? openSeries(file, series, contents) : contents;
}
