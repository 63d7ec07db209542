import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  headSizeOf,
  keyValueHeadsOf,
  recognizeArchitecture,
  type Recognition,
} from '../../architecture';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { createFile } from '../../checkpoint/createFile';
import {
  encodingOf,
  encodings,
  fileTypes,
  type Encoding,
} from '../../checkpoint/formats/gguf/write/encodings';
import { text, uint32, type Entry } from '../../checkpoint/formats/gguf/write/entries';
import {
  bytesOf,
  headOf,
  paddedBytesOf,
  type FileHead,
} from '../../checkpoint/formats/gguf/write/file';
import {
  architectureFor,
  modelEntries,
  tensorForFile,
  type NamedArchitecture,
  type WrittenModel,
} from '../../checkpoint/formats/gguf/write/model';
import { otherWay } from '../../checkpoint/formats/gguf/write/otherWay';
import { ropeFactors } from '../../checkpoint/formats/gguf/write/rope';
import { explainWriteError } from '../../checkpoint/outputFolder';
import { quoted } from '../../checkpoint/names';
import type { TensorInfo } from '../../checkpoint/tensor';
import { CorruptFileError, UnsupportedError, type Note } from '../../errors';
import { counted } from '../../format';
import type { ConversionRequest, GgufType } from '../../protocol/conversion';
import { modelNameOf } from '../../protocol/weightNames';
import { recognizeModel } from '../open/model';
import { useModel } from '../open/resources';
import { counter, type Converting, type Written } from './converting';
import type { Companions } from '../write/companions';
import { ggufTokenizer, requireSameTokens } from './ggufTokenizer';
import { requireSpace } from './safetensors';
import { computeTheSame } from './sameComputation';

/** What is written of a tensor: its bytes when their turn comes. */
interface Content {
  readonly name: string;
  readonly shape: readonly number[];
  readonly encoding: Encoding;
  readonly bytes: () => AsyncIterable<Uint8Array>;
}

/** Version of ggml's blocks. */
const QUANTIZATION_VERSION = 2;

/** A model that a GGUF file can say, all of it but the weights. */
export interface GgufModel {
  /** Tensors of the file. */
  readonly tensors: number;
  /** Of all of them, as they are written. */
  readonly bytes: number;
  readonly leftOut: Written['leftOut'];
  readonly companions: Companions;
  readonly notes: readonly Note[];
  /** Writes the file, which has to be new. @throws UnsupportedError for values that its type does not reach */
  write(file: string, count: Counter): Promise<void>;
}

/** Passes parts of tensors on, and says how far it is or that it ends here. */
type Counter = (parts: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** A model of a known family as one GGUF file. */
export async function writeGgufModel(
  converting: Converting,
  { checkpoint: path, outtype = 'f16' }: ConversionRequest,
): Promise<Written> {
  const { source, directory, warn } = converting;
  const name = modelNameOf(path);
  const model = await prepareGguf(source, { name, outtype, scratch: directory });
  await requireSpace(directory, model.bytes);
  warn(model.notes);
  const file = join(directory, ggufName(name, outtype));
  await model.write(file, counter(converting, model.bytes));
  const { tensors, bytes, leftOut, companions } = model;
  return { tensors, bytes, files: [file], leftOut, companions };
}

/** What a GGUF file is called. */
export const ggufName = (model: string, outtype: GgufType): string =>
  `${model.replace(/[^\w.-]+/g, '-')}-${encodings[outtype].name}.gguf`;

/**
 * What a GGUF file of a checkpoint would say, which is read back: it must be the same model with the same
 * tokenizer. Reads no weights.
 * @param scratch a folder for the file that is read back, which is removed
 * @throws UnsupportedError where such a file cannot say it
 */
export async function prepareGguf(
  source: Checkpoint,
  {
    name,
    outtype,
    scratch,
  }: { readonly name: string; readonly outtype: GgufType; readonly scratch: string },
): Promise<GgufModel> {
  const recognition = await recognizeModel(source);
  const named = architectureFor(recognition.architecture.family);
  const model = writtenModel(recognition);
  const tokenizer = await ggufTokenizer(source, model.vocabulary);
  const entries: Entry[] = [
    ['general.architecture', text(named.name)],
    ['general.type', text('model')],
    ['general.name', text(name)],
    ['general.file_type', uint32(fileTypes[outtype])],
    ['general.quantization_version', uint32(QUANTIZATION_VERSION)],
    ...modelEntries(named, model),
    ...tokenizer.entries,
  ];
  const contents = contentsOf(source, recognition, { named, model, outtype });
  const head = headOf(entries, contents);
  await requireSameModel(scratch, head, contents, async check => {
    requireSameComputation(recognition, check, source);
    await requireSameTokens(source, check.checkpoint);
  });
  const read = new Set(recognition.names.values());
  return {
    tensors: contents.length,
    bytes: contents.reduce((sum, content) => sum + bytesOf(content), 0),
    leftOut: recognition.ignored.filter(({ name: ignored }) => !read.has(ignored)),
    companions: tokenizer.companions,
    notes: [
      ...notesOn(model, named.name),
      ...notesOnFallback(contents, outtype),
      ...tokenizer.notes,
    ],
    write: (file, count) =>
      createFile(file, [], async write => {
        await write(head.bytes);
        for (const content of contents) {
          for await (const part of count(content.bytes())) await write(part);
          await write(new Uint8Array(paddedBytesOf(content) - bytesOf(content)));
        }
      }),
  };
}

/** @throws UnsupportedError for a model that predicts something else than the next word */
function writtenModel({ architecture }: Recognition): WrittenModel {
  const { config, dimensions, accepts, objective, head, modelClass } = architecture;
  if (objective !== 'causal-language-modeling' || head === 'none' || accepts.kind !== 'tokens') {
    throw new UnsupportedError(
      `A GGUF file holds a model that predicts the next word, which a ${modelClass} does not.`,
      'Convert it to safetensors.',
    );
  }
  return {
    config,
    layers: dimensions.numHiddenLayers,
    hidden: dimensions.hiddenSize,
    heads: dimensions.numAttentionHeads,
    keyHeads: keyValueHeadsOf(dimensions),
    headSize: headSizeOf(dimensions),
    feedForward: dimensions.intermediateSize,
    vocabulary: accepts.vocabularySize,
    context: accepts.longestSequence,
  };
}

function contentsOf(
  source: Checkpoint,
  { names }: Recognition,
  {
    named,
    model,
    outtype,
  }: {
    readonly named: NamedArchitecture;
    readonly model: WrittenModel;
    readonly outtype: GgufType;
  },
): Content[] {
  const factors = ropeFactors(model.config, model.headSize);
  const extra: Content[] = factors
    ? [
        {
          name: 'rope_freqs.weight',
          shape: [factors.length],
          encoding: encodings.f32,
          bytes: async function* () {
            yield new Uint8Array(factors.buffer);
          },
        },
      ]
    : [];
  const own = [...names].map(([written, onDisk]): Content => {
    const stored = source.tensors.get(onDisk)!;
    const tensor = tensorForFile(named, { ...stored, name: written }, model);
    const encoding = encodingOf(tensor.name, tensor.shape, outtype);
    return {
      name: tensor.name,
      shape: tensor.shape,
      encoding,
      bytes: () => encoded(source, tensor, encoding),
    };
  });
  return [...extra, ...own];
}

async function* encoded(
  source: Checkpoint,
  tensor: TensorInfo,
  encoding: Encoding,
): AsyncIterable<Uint8Array> {
  for await (const part of source.parts(tensor)) {
    const bytes = encoding.encode(part, tensor.type);
    if (bytes === undefined) {
      throw new UnsupportedError(
        `${quoted(tensor.name)} has values that are too large for ${encoding.name}.`,
        'Store it as bf16 or f32.',
      );
    }
    yield bytes;
  }
}

type Check = Awaited<ReturnType<typeof useModel>>;

/** Has a file that says all of what will be written, but for the weights, read back and checked. */
async function requireSameModel(
  directory: string,
  head: FileHead,
  contents: readonly Content[],
  check: (model: Check) => Promise<void>,
): Promise<void> {
  const file = join(directory, 'check.gguf');
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.write(head.bytes);
      const [first] = contents;
      // Factors of rotary positions stand in front, and are read with the head.
      if (first?.name === 'rope_freqs.weight') {
        for await (const part of first.bytes()) await handle.write(part);
      }
      await handle.truncate(head.size);
    } finally {
      await handle.close();
    }
    await using model = await useModel(file);
    await check(model);
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw explainWriteError(error, file);
    throw new UnsupportedError(
      `A GGUF file cannot say what this model is: ${error.message}`,
      otherWay,
    );
  } finally {
    await rm(file, { force: true });
  }
}

/** @throws UnsupportedError where what the file says of the model computes something else */
function requireSameComputation(
  { architecture }: Recognition,
  check: Check,
  { tensors }: Checkpoint,
): void {
  if (computeTheSame(architecture, check.architecture)) return;
  const { config } = architecture;
  const said = check.architecture.config;
  const culprits = [...new Set([...Object.keys(config), ...Object.keys(said)])].filter(field => {
    if (JSON.stringify(config[field]) === JSON.stringify(said[field])) return false;
    try {
      const changed = { ...config, [field]: said[field] ?? null };
      const other = recognizeArchitecture(changed, tensors).architecture;
      return computeTheSame(other, check.architecture);
    } catch {
      return false;
    }
  });
  const what = culprits.length > 0 ? ` (${culprits.map(quoted).join(', ')})` : '';
  throw new UnsupportedError(
    `config.json asks for something${what} that the metadata of a GGUF file of this family cannot say.`,
    otherWay,
  );
}

/** Where llama.cpp computes another model beyond some length. */
function notesOn({ config, context }: WrittenModel, architecture: string): Note[] {
  const window = config['sliding_window'];
  const isUsed = typeof window === 'number' && config['use_sliding_window'] !== false;
  if (!isUsed || window >= context || architecture === 'gemma2') return [];
  return [
    {
      message: `The model sees ${counted(window, 'token')} back (sliding_window), but llama.cpp has such models see all: it computes the same up to that length.`,
      remedy: 'Nothing to do for shorter texts.',
    },
  ];
}

function notesOnFallback(contents: readonly Content[], outtype: GgufType): Note[] {
  if (outtype !== 'q8_0') return [];
  const fallen = contents.filter(({ encoding }) => encoding === encodings.f16);
  if (fallen.length === 0) return [];
  return [
    {
      message: `${counted(fallen.length, 'tensor')} whose rows are no whole blocks of 32 are stored as F16, as llama.cpp's converter does.`,
      remedy: 'Nothing to do, unless size matters.',
    },
  ];
}
