import { CorruptFileError, type Note } from '../../../errors';
import { counted } from '../../../format';
import { parseJsonObject, type JsonObject } from '../../jsonText';
import { contiguous } from '../../layouts/contiguous';
import { inPieces, type Piece } from '../../layouts/pieces';
import { quoted } from '../../names';
import type { TensorInfo } from '../../tensor';
import type { FileContents, FormatFile } from '../format';
import { renamed } from '../names/renaming';
import { tensorFlowNames } from '../names/transformers';
import { parseManifest, type ManifestGroup } from './manifest';
import { quantized, storedBytes } from './quantized';
import { textBytes } from './texts';

/** The topology of a model nests as its layers do. */
const LIMITS = { depth: 256, keys: 1_000_000 };

const DOWNLOAD_AGAIN =
  'Download model.json and all of its binary files again, or convert the model anew.';

/**
 * Reads the `model.json` of TensorFlow.js: a manifest of tensors in files beside it. Layers models and
 * graph models have the same. Undefined for JSON of another kind.
 * @throws UserError, CorruptFileError
 */
export async function openModelJson(
  text: string,
  file: FormatFile,
): Promise<FileContents | undefined> {
  if (!text.includes('"weightsManifest"')) return undefined;
  const fail = (what: string, remedy = DOWNLOAD_AGAIN, options?: ErrorOptions): never => {
    throw new CorruptFileError(`${file.file}: ${what}.`, remedy, options);
  };
  let json: JsonObject;
  try {
    json = parseJsonObject(text, LIMITS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return fail(`model.json cannot be used: ${reason}`, DOWNLOAD_AGAIN, { cause });
  }
  const { weightsManifest: manifest } = json;
  if (manifest === undefined) return undefined;
  const tensors: TensorInfo[] = [];
  const notes: Note[] = [];
  const texts: string[] = [];
  for (const group of parseManifest(manifest, fail)) {
    const read = await readGroup(group, file, fail);
    tensors.push(...read.tensors);
    texts.push(...read.texts);
    if (read.rest > 0) {
      notes.push({
        message: `The last ${counted(read.rest, 'byte')} of ${group.paths.map(quoted).join(', ')} belong to no tensor.`,
        remedy: 'Check that the files belong to this model.json.',
      });
    }
  }
  if (texts.length > 0) {
    const shown = texts.slice(0, 3).map(quoted).join(', ') + (texts.length > 3 ? ', …' : '');
    notes.push({
      message: `It holds ${counted(texts.length, 'tensor')} of text, which are not read: ${shown}.`,
      remedy: 'Nothing is lost if the model itself does not need them.',
    });
  }
  return { metadata: metadataOf(json), tensors: renamed(tensors, tensorFlowNames), notes };
}

/** What its writer says of itself. */
function metadataOf(json: JsonObject): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>;
  for (const key of ['format', 'generatedBy', 'convertedBy']) {
    const value = json[key];
    if (typeof value === 'string') metadata[key] = value;
  }
  return metadata;
}

interface Group {
  readonly tensors: readonly TensorInfo[];
  /** Names of the tensors of text. */
  readonly texts: readonly string[];
  /** Bytes after the last tensor. */
  readonly rest: number;
}

async function readGroup(
  { paths, weights }: ManifestGroup,
  file: FormatFile,
  fail: (what: string) => never,
): Promise<Group> {
  const pieces: Piece[] = [];
  const ends: number[] = [];
  let size = 0;
  for (const path of paths) {
    const { file: name, size: bytes } = await file.beside(path);
    pieces.push({ file: name, begin: 0, bytes });
    ends.push((size += bytes));
  }
  const tensors: TensorInfo[] = [];
  const texts: string[] = [];
  let begin = 0;
  let first = 0;
  for (const weight of weights) {
    const { name, shape, count, type } = weight;
    const bytes =
      type === 'text'
        ? await textBytes(pieces, file.read, { begin, size, count })
        : count * storedBytes(weight);
    const end = bytes === undefined ? Infinity : begin + bytes;
    if (end > size) {
      return fail(
        `tensor ${quoted(name)} ends after the files that should hold it, which have ${counted(size, 'byte')}`,
      );
    }
    if (type === 'text') {
      texts.push(name);
    } else {
      while (first < ends.length - 1 && ends[first]! <= begin) first++;
      let last = first;
      while (ends[last]! < end) last++;
      const own = pieces.slice(first, last + 1);
      const from = begin - (ends[first - 1] ?? 0);
      const layout = weight.quantization
        ? quantized(type, weight.quantization, from)
        : contiguous(type, from);
      tensors.push({
        name,
        type,
        shape,
        bytes: end - begin,
        layout: inPieces(own, layout),
        file: own[0]?.file ?? file.file,
        ...(weight.quantization && { storedAs: weight.quantization.dtype.toUpperCase() }),
      });
    }
    begin = end;
  }
  return { tensors, texts, rest: size - begin };
}
