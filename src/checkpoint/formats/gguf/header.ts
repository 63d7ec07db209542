import { CorruptFileError, UnsupportedError } from '../../../errors';
import { quoted, tensorNameProblem } from '../../names';
import type { FormatFile } from '../format';
import { ByteReader } from './byteReader';
import { readCount, readNumber, readText, type Fail } from './reading';
import { placed, readTensors, type PlacedTensor } from './tensorTable';
import {
  isList,
  numberReaders,
  valueKinds,
  type Value,
  type ValueKind,
  type Values,
} from './values';

/** Longest header, in bytes; those of 250,000 tokens with their merges take some 20 million. */
const MAX_HEADER_BYTES = 100_000_000;
/** Most entries of the metadata; real files have some fifty. */
const MAX_KEYS = 100_000;
/** Most tensors; real files have a few thousand. */
const MAX_TENSORS = 100_000;
/** Longest text that is no name, in bytes: chat templates have ten thousand. */
const MAX_TEXT_BYTES = 10_000_000;
/** Lists within lists. */
const MAX_DEPTH = 4;
/** Alignment of the tensors where the file does not say. */
const USUAL_ALIGNMENT = 32;

/** What a GGUF file says about itself. */
export interface GgufHeader {
  readonly values: Values;
  /** In the order of their data. */
  readonly tensors: readonly PlacedTensor[];
}

const COPY_AGAIN =
  'Copy or download the file again; if that does not help, convert the model anew.';

/**
 * Reads and validates the header of a GGUF file: its metadata, of which lists stay in the file, and
 * where its tensors lie. Whatever passes is safe to use: names are plain and stand once, and the
 * tensors' data lie in the file without overlap. It reads no more of the file than that takes.
 * @throws CorruptFileError, UnsupportedError
 */
export async function readHeader({ file, size, head, read }: FormatFile): Promise<GgufHeader> {
  const fail: Fail = (what, remedy = COPY_AGAIN) => {
    throw new CorruptFileError(`${file}: ${what}.`, remedy);
  };
  const reader = new ByteReader(head, read, { file, size, limit: MAX_HEADER_BYTES });
  await reader.need(4);
  reader.take(4);
  checkVersion(await readNumber(reader, 'uint32'), file);
  const tensorCount = await readCount(reader, { what: 'tensors', bytesEach: 25 }, fail);
  const keyCount = await readCount(reader, { what: 'entries of metadata', bytesEach: 14 }, fail);
  if (tensorCount > MAX_TENSORS) {
    fail(`it states ${tensorCount} tensors; at most ${MAX_TENSORS} are allowed`);
  }
  if (keyCount > MAX_KEYS) {
    fail(`it states ${keyCount} entries of metadata; at most ${MAX_KEYS} are allowed`);
  }
  const values = await readValues(reader, keyCount, fail);
  const described = await readTensors(reader, tensorCount, file, fail);
  const alignment = alignmentOf(values, fail);
  const dataBegin = Math.ceil(reader.position / alignment) * alignment;
  return { values, tensors: placed(described, { alignment, dataBegin, size }, fail) };
}

function checkVersion(version: number, file: string): void {
  if (version === 2 || version === 3) return;
  const convert = 'Convert the model anew with a current version of llama.cpp.';
  if ((version & 0xffff) === 0 && version !== 0) {
    throw new UnsupportedError(
      `${file} is a GGUF file for big-endian machines, which is not read.`,
      convert,
    );
  }
  throw new UnsupportedError(
    `${file} is a GGUF file of version ${version}; versions 2 and 3 are read.`,
    convert,
  );
}

async function readValues(reader: ByteReader, count: number, fail: Fail): Promise<Values> {
  const values = new Map<string, Value>();
  for (let i = 0; i < count; i++) {
    const key = await readText(reader, { what: `the name of metadata entry ${i + 1}` }, fail);
    const problem = tensorNameProblem(key);
    if (problem !== undefined) fail(`the name ${quoted(key)} of a metadata entry ${problem}`);
    if (values.has(key)) fail(`the metadata entry ${quoted(key)} stands in it twice`);
    const what = `the metadata entry ${quoted(key)}`;
    values.set(key, await readValue(reader, await readKind(reader, what, fail), what, fail));
  }
  return values;
}

async function readKind(reader: ByteReader, what: string, fail: Fail): Promise<ValueKind> {
  const number = await readNumber(reader, 'uint32');
  return valueKinds[number] ?? fail(`${what} is of kind ${number}, which is not known`);
}

async function readValue(
  reader: ByteReader,
  kind: ValueKind,
  what: string,
  fail: Fail,
): Promise<Value> {
  if (kind === 'string') return readText(reader, { what, most: MAX_TEXT_BYTES }, fail);
  if (kind === 'array') {
    const of = await readKind(reader, what, fail);
    const count = await readCount(reader, { what: `items of ${what}`, bytesEach: least[of] }, fail);
    const begin = reader.position;
    await skipItems(reader, { of, count, what, depth: 1 }, fail);
    return { of, count, begin, end: reader.position };
  }
  const [bytes, get] = numberReaders[kind];
  if (!reader.has(bytes)) await reader.need(bytes);
  return reader.number(bytes, get);
}

/** Bytes that a value of a kind takes at least. */
const least: Readonly<Record<ValueKind, number>> = {
  ...(Object.fromEntries(
    Object.entries(numberReaders).map(([kind, [bytes]]) => [kind, bytes]),
  ) as Record<keyof typeof numberReaders, number>),
  string: 8,
  array: 12,
};

interface Items {
  readonly of: ValueKind;
  readonly count: number;
  readonly what: string;
  /** Lists that they stand in. */
  readonly depth: number;
}

/** Goes on behind the items of a list. */
async function skipItems(
  reader: ByteReader,
  { of, count, what, depth }: Items,
  fail: Fail,
): Promise<void> {
  if (of === 'string') {
    // A vocabulary: nothing is waited for but what has to be read.
    const [bytes, get] = numberReaders.uint64;
    for (let i = 0; i < count; i++) {
      if (!reader.has(bytes)) await reader.need(bytes);
      const length = reader.number(bytes, get);
      reader.skip(typeof length === 'number' ? length : Infinity);
    }
    return;
  }
  if (of !== 'array') {
    reader.skip(count * least[of]);
    return;
  }
  if (depth === MAX_DEPTH) fail(`${what} nests more than ${MAX_DEPTH} lists deep`);
  for (let i = 0; i < count; i++) {
    const inner = await readKind(reader, what, fail);
    const items = await readCount(
      reader,
      { what: `items of ${what}`, bytesEach: least[inner] },
      fail,
    );
    await skipItems(reader, { of: inner, count: items, what, depth: depth + 1 }, fail);
  }
}

/** What the offsets of tensors are multiples of. */
function alignmentOf(values: Values, fail: Fail): number {
  const alignment = values.get('general.alignment');
  if (alignment === undefined) return USUAL_ALIGNMENT;
  const isPower =
    typeof alignment === 'number' && alignment > 0 && Number.isInteger(Math.log2(alignment));
  if (isPower && !isList(alignment) && alignment <= 2 ** 31) return alignment;
  return fail('its general.alignment is no power of two');
}
