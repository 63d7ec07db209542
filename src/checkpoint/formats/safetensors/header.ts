import { CorruptFileError } from '../../../errors';
import { counted } from '../../../format';
import { bytesPerElement, isStoredType, type StoredType } from '../../elementTypes';
import { isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../../jsonText';
import { quoted, tensorNameProblem } from '../../names';
import { elementCount, MAX_ELEMENTS, MAX_RANK, MAX_TENSORS } from '../../tensor';

/** Longest header, in bytes: the safetensors library's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;
/** A header is an object of objects that hold arrays, with one level to spare for odd writers. */
const MAX_DEPTH = 4;

/** One tensor as the header describes it. */
interface DescribedTensor {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly begin: number;
  /** One past the last byte in the file. */
  readonly end: number;
}

/** What a safetensors file says about itself. */
interface SafetensorsHeader {
  /** Free text that the writer left, without a prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their data. */
  readonly tensors: readonly DescribedTensor[];
}

const COPY_AGAIN = 'Copy or download the file again; if that does not help, save the model anew.';
const SAVE_AGAIN = 'Save the model anew with the safetensors library.';

/** Length of the header that the first eight bytes of a file give, in bytes. */
export function statedHeaderBytes(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return view.getUint32(4, true) * 4294967296 + view.getUint32(0, true);
}

/**
 * Checks that the length which the first eight bytes state can be true, before that much is read.
 * @throws CorruptFileError
 */
export function checkHeaderBytes(headerBytes: number, fileBytes: number, file: string): void {
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new CorruptFileError(
      `${file}: its first eight bytes state a header of ${headerBytes} bytes; at most ${MAX_HEADER_BYTES} are allowed.`,
      COPY_AGAIN,
    );
  }
  if (headerBytes > fileBytes - 8) {
    throw new CorruptFileError(
      `${file} is truncated: its header takes ${counted(headerBytes, 'byte')}, but only ${fileBytes - 8} follow.`,
      COPY_AGAIN,
    );
  }
}

/**
 * Parses and validates the header of a safetensors file (the JSON after the first eight bytes).
 * Whatever passes is safe to use: names are plain, shapes are exact, and the tensors' data lie in
 * the file one after the other without overlap or hole. @throws CorruptFileError
 */
export function parseHeader(
  header: Uint8Array,
  fileBytes: number,
  file: string,
): SafetensorsHeader {
  const fail = (what: string, remedy = SAVE_AGAIN, options?: ErrorOptions): never => {
    throw new CorruptFileError(`${file}: ${what}.`, remedy, options);
  };
  const json = readJson(header, fail);
  const dataBegin = 8 + header.byteLength;
  const tensors: DescribedTensor[] = [];
  let metadata = readMetadata(undefined, fail);
  for (const [name, entry] of Object.entries(json)) {
    if (name === '__metadata__') {
      metadata = readMetadata(entry, fail);
      continue;
    }
    tensors.push(readTensor(name, entry, dataBegin, fail));
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(tensors, dataBegin, fileBytes, fail);
  return { metadata, tensors };
}

type Fail = (what: string, remedy?: string, options?: ErrorOptions) => never;

function readJson(header: Uint8Array, fail: Fail): JsonObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    return fail('the header is not UTF-8 text', COPY_AGAIN, { cause });
  }
  try {
    return parseJsonObject(text, { depth: MAX_DEPTH, keys: MAX_TENSORS });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return fail(`the header cannot be used: ${reason}`, COPY_AGAIN, { cause });
  }
}

function readMetadata(entry: JsonValue | undefined, fail: Fail): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>;
  // The reference library reads null as absent.
  if (entry === undefined || entry === null) return metadata;
  if (!isJsonObject(entry)) return fail('__metadata__ is not an object');
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') return fail(`__metadata__ entry ${quoted(key)} is not text`);
    metadata[key] = value;
  }
  return metadata;
}

function readTensor(
  name: string,
  entry: JsonValue,
  dataBegin: number,
  fail: Fail,
): DescribedTensor {
  const problem = tensorNameProblem(name);
  if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
  const tensor = `tensor ${quoted(name)}`;
  if (!isJsonObject(entry)) return fail(`${tensor} is not described by an object`);
  const { dtype: type, shape, data_offsets: offsets } = entry;
  if (!isStoredType(type)) {
    const stated = typeof type === 'string' ? quoted(type) : 'none';
    return fail(`${tensor} has an unknown element type (${stated})`);
  }
  if (!isShape(shape)) {
    return fail(`${tensor} has no usable shape: at most ${MAX_RANK} whole numbers from 0 up`);
  }
  const count = elementCount(shape);
  const bytes = count * bytesPerElement(type);
  if (count > MAX_ELEMENTS || bytes > MAX_ELEMENTS) {
    return fail(
      `${tensor} of shape [${shape.join(', ')}] has more elements than any file can hold`,
    );
  }
  if (!isOffsets(offsets)) {
    return fail(`${tensor} has no usable data_offsets: two whole numbers in ascending order`);
  }
  const [begin, end] = offsets;
  if (end - begin !== bytes) {
    return fail(
      `${tensor} takes ${counted(bytes, 'byte')} by its shape [${shape.join(', ')}] and type ${type}, but ${end - begin} by its data_offsets`,
    );
  }
  return { name, type, shape: [...shape], begin: dataBegin + begin, end: dataBegin + end };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isShape(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.length <= MAX_RANK && value.every(isWhole);
}

function isOffsets(value: JsonValue | undefined): value is readonly [number, number] {
  return (
    Array.isArray(value) && value.length === 2 && value.every(isWhole) && value[0]! <= value[1]!
  );
}

/** The data must follow each other without gaps and end where the file ends. */
function checkCoverage(
  tensors: readonly DescribedTensor[],
  dataBegin: number,
  fileBytes: number,
  fail: Fail,
): void {
  let end = dataBegin;
  for (const tensor of tensors) {
    if (tensor.begin < end) {
      fail(`the data of tensor ${quoted(tensor.name)} overlap those of another tensor`);
    }
    if (tensor.end > fileBytes) {
      fail(
        `the file is truncated: tensor ${quoted(tensor.name)} ends at byte ${tensor.end}, but the file has only ${fileBytes}`,
        COPY_AGAIN,
      );
    }
    if (tensor.begin > end) {
      const gap = counted(tensor.begin - end, 'byte');
      const belong = tensor.begin - end === 1 ? 'belongs' : 'belong';
      fail(`${gap} before tensor ${quoted(tensor.name)} ${belong} to no tensor`);
    }
    end = tensor.end;
  }
  const rest = fileBytes - end;
  if (rest === 1) fail('the last byte belongs to no tensor');
  if (rest > 1) fail(`the last ${counted(rest, 'byte')} belong to no tensor`);
}
