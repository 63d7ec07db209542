import { constants } from 'node:buffer';
import { basename, dirname, join, resolve } from 'node:path';

import { CorruptFileError, UnsupportedError, UserError, type Note } from '../errors';
import { identify, readOwn } from '../files';
import { bytesPerElement, isReadableType, noValues, toFloat32 } from './elementTypes';
import { requireUnchanged, sha256OfFiles } from './hash';
import { parseJsonObject, type JsonObject } from './jsonText';
import { locateCheckpoint } from './locate';
import { quoted } from './names';
import { OpenFiles } from './openFiles';
import { restoreSetAside } from './outputFolder';
import { quantizedProblem } from './quantizedKinds';
import { readContents } from './readContents';
import { elementCount, type TensorInfo } from './tensor';

export type { JsonObject } from './jsonText';
export type { TensorInfo } from './tensor';

/** Largest config.json, in bytes; real ones have a few thousand (label names: a few million). */
const MAX_CONFIG_BYTES = 50_000_000;
/** Limits of a config.json's structure, generous for label maps and nested sub-models. */
const CONFIG_LIMITS = { depth: 64, keys: 1_000_000 };

/** Bytes of a tensor that are read at a time where it is read in parts; whole blocks of every quantised kind. */
const PART_BYTES = 1 << 25;

/** A checkpoint opened for reading: its headers are in memory, its values on disk until asked for. */
export interface Checkpoint {
  /** Absolute path of the folder it lies in. */
  readonly directory: string;
  /** Absolute paths of the files that hold tensors, in the order of their names. */
  readonly files: readonly string[];
  /** What the file itself tells in place of a config.json, or the one beside it. */
  readonly config: JsonObject | undefined;
  /** Why a file that should tell it tells none. */
  readonly noConfig: UserError | undefined;
  /** The text of that, as it was read. */
  readonly configText: string | undefined;
  /** Texts of files that stand in for those beside it, by their names; empty where it has such files. */
  readonly companions: ReadonlyMap<string, () => Promise<string>>;
  /** The id of its files' format, `safetensors` say; undefined where no shard could be read. */
  readonly format: string | undefined;
  /** Free text its writer left in the header (of a sharded one: in the first shard). */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensors that an index names although no shard holds them, with the shard it gives. */
  readonly absent: ReadonlyMap<string, string>;
  /** Bytes of all tensors together, without headers. */
  readonly bytes: number;
  /** What its files say that the reader passes over, as transformers does. */
  readonly notes: readonly Note[];
  /**
   * A tensor's elements as bytes of its type: all, or so many from one on, of which it reads little more.
   * @throws UserError
   */
  readBytes(name: string, firstElement?: number, count?: number): Promise<Uint8Array>;
  /** A tensor's values. @throws UnsupportedError for element types without values */
  readFloat32(name: string): Promise<Float32Array>;
  /**
   * The bytes of a tensor of its files, whose layout may be another than theirs, some megabytes at a time:
   * a large tensor is never whole in memory.
   */
  parts(tensor: TensorInfo): AsyncIterable<Uint8Array>;
  /** Some of a tensor's values in row-major order; reads no more than those. */
  readRange(name: string, firstElement: number, count: number): Promise<Float32Array>;
  /** Identifies its files in receipts; see `sha256OfFiles`. @throws UserError when they changed */
  sha256(): Promise<string>;
  /** @throws CorruptFileError when its files no longer hold what `sha256` was computed of */
  requireUnchanged(sha256: string): Promise<void>;
  close(): Promise<void>;
}

interface ReadConfig {
  readonly text: string;
  readonly content: JsonObject;
}

async function readConfig(directory: string): Promise<ReadConfig | undefined> {
  const read = await readOwn(directory, 'config.json', MAX_CONFIG_BYTES);
  if (read === undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(read.bytes);
    return { text, content: parseJsonObject(text, CONFIG_LIMITS) };
  } catch (error) {
    throw new CorruptFileError(
      `${join(directory, 'config.json')} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
      'Download it again, or correct it in an editor.',
      { cause: error },
    );
  }
}

/** Files of which a folder that has a tokenizer has one. */
const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'vocab.txt'];

async function hasAny(directory: string, names: readonly string[]): Promise<boolean> {
  const found = await Promise.all(names.map(name => identify(join(directory, name))));
  return found.some(identity => identity !== undefined);
}

/** What is to be said where a config.json lies beside a file that tells its own. */
async function notesOnOther(directory: string, file: string): Promise<Note[]> {
  if ((await identify(join(directory, 'config.json'))) === undefined) return [];
  return [
    {
      message: `The config.json beside ${basename(file)} is not used: the file itself tells what the model is, and transformers goes by that too.`,
      remedy: 'Nothing to do, unless the two are of different models.',
    },
  ];
}

/**
 * Opens a checkpoint: a file of weights, the index of a sharded one, or the folder of either. What
 * the file holds decides, not what it is called. Reads headers only, at any size.
 * @throws UserError, CorruptFileError, UnsupportedError
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const listed = await listCheckpoint(path);
  const [problem] = listed.problems;
  if (problem === undefined) return listed;
  await listed.close();
  throw problem;
}

/** @throws UnsupportedError for more bytes than one array can have */
function requireFits(name: string, bytes: number): void {
  if (bytes <= constants.MAX_LENGTH) return;
  throw new UnsupportedError(
    `Tensor ${quoted(name)} of ${bytes} bytes does not fit into one array.`,
    'Use a checkpoint whose tensors are smaller than 4 GiB.',
  );
}

function requireElements({ name, shape }: TensorInfo, firstElement: number, count: number): void {
  const end = firstElement + count;
  const whole = Number.isSafeInteger(firstElement) && Number.isSafeInteger(count);
  if (!whole || firstElement < 0 || count < 0 || end > elementCount(shape)) {
    throw new RangeError(`${name} has no elements ${firstElement} to ${end}`);
  }
}

/** What can be listed of a checkpoint, whole or not. */
export interface ListedCheckpoint extends Checkpoint {
  /** What keeps it from being used: a missing shard, a config.json that is no JSON. */
  readonly problems: readonly UserError[];
}

/**
 * Opens what can be listed of a checkpoint, for looking into it.
 * @throws UserError, CorruptFileError, UnsupportedError when that is nothing
 */
export async function listCheckpoint(path: string): Promise<ListedCheckpoint> {
  await restoreSetAside(path);
  const file = await locateCheckpoint(path);
  const contents = await readContents(file, file === resolve(path));
  const { metadata, tensors, bytes, files, absent, noConfig } = contents;
  const problems = [...contents.problems];
  const directory = dirname(file);
  const notes = [...contents.notes];
  let config = contents.config && {
    text: JSON.stringify(contents.config, null, 2),
    content: contents.config,
  };
  try {
    if (config) notes.push(...(await notesOnOther(directory, file)));
    else if (!noConfig) config = await readConfig(directory);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(error);
  }
  const quantized = quantizedProblem(file, new Set(tensors.keys()), config?.content);
  if (quantized) problems.push(quantized);
  const open = new OpenFiles(files);

  const tensorNamed = (name: string): TensorInfo => {
    const tensor = tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new UserError(
      `${file} holds no tensor named ${quoted(name)}.`,
      'Check that config.json and the weights belong to the same model.',
    );
  };
  const bytesOf = async (file: string, begin: number, end: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(end - begin);
    await open.read(file, begin, bytes);
    return bytes;
  };
  const read = (
    { name, type, file: own, layout }: TensorInfo,
    firstElement: number,
    count: number,
  ) => {
    requireFits(name, count * bytesPerElement(type));
    const readBytes = async (begin: number, end: number, file = own): Promise<Uint8Array> => {
      requireFits(name, end - begin);
      return bytesOf(file, begin, end);
    };
    return layout.read(readBytes, firstElement, count);
  };
  const companions = new Map<string, () => Promise<string>>();
  if (contents.companions && !(await hasAny(directory, tokenizerFiles))) {
    for (const [name, make] of contents.companions) {
      companions.set(name, () => make((begin, end) => bytesOf(file, begin, end)));
    }
  }
  const readValues = async (tensor: TensorInfo, firstElement: number, count: number) => {
    const stored = await read(tensor, firstElement, count);
    // Fresh bytes of a float32 tensor are its values already; nothing to copy.
    return tensor.type === 'F32' ? new Float32Array(stored.buffer) : toFloat32(stored, tensor.type);
  };
  const readableTensorNamed = (name: string): TensorInfo => {
    const tensor = tensorNamed(name);
    if (!isReadableType(tensor.type)) throw noValues(tensor.type);
    return tensor;
  };

  return {
    directory,
    files: [...files.keys()],
    config: config?.content,
    configText: config?.text,
    noConfig,
    companions,
    format: contents.format,
    metadata,
    tensors,
    absent,
    bytes,
    notes,
    problems,
    async readBytes(name, firstElement = 0, count) {
      const tensor = tensorNamed(name);
      const asked = count ?? elementCount(tensor.shape) - firstElement;
      requireElements(tensor, firstElement, asked);
      return read(tensor, firstElement, asked);
    },
    async *parts(tensor) {
      const count = elementCount(tensor.shape);
      const most = Math.floor(PART_BYTES / Math.max(1, bytesPerElement(tensor.type)));
      // Of a tensor without elements too: one that cannot be read says so.
      let first = 0;
      do {
        const some = Math.min(most, count - first);
        yield await read(tensor, first, some);
        first += some;
      } while (first < count);
    },
    async readFloat32(name) {
      const tensor = readableTensorNamed(name);
      return readValues(tensor, 0, elementCount(tensor.shape));
    },
    async readRange(name, firstElement, count) {
      const tensor = readableTensorNamed(name);
      requireElements(tensor, firstElement, count);
      return readValues(tensor, firstElement, count);
    },
    sha256: () => sha256OfFiles(files),
    requireUnchanged: sha256 => requireUnchanged(files, sha256),
    close: () => open.close(),
  };
}
