import { CorruptFileError, UnsupportedError, UserError } from '../../errors';
import { flax } from './flax/format';
import type { FileContents, Format, FormatFile } from './format';
import { llama2c } from './llama2c/format';
import { npy, npz } from './numpy/format';
import { onnx } from './onnx/format';
import { safetensors } from './safetensors/format';
import { MAX_HEADER_BYTES, statedHeaderBytes } from './safetensors/header';
import { openModelJson } from './tfjs/format';

/** Every format that is read, in the order in which a file is tried. */
const formats: readonly Format[] = [npy, npz, llama2c, safetensors, flax, onnx];

/** Bytes of a file's beginning that are enough to tell what it is. */
export const HEAD_BYTES = 4096;

const RESAVE =
  'Load it in Python and save it with model.save_pretrained(folder, safe_serialization=True), then open that folder.';

/** Formats known by the bytes they begin with: what they are called and what to do about them. */
const signatures: readonly {
  readonly bytes: string;
  readonly is: string;
  readonly remedy: string;
  /** Counts only in a file that is text throughout. */
  readonly text?: boolean;
}[] = [
  {
    bytes: 'PK\x03\x04',
    is: 'a zip archive, as PyTorch writes; pickles are never opened here because they can run code',
    remedy: RESAVE,
  },
  { bytes: '\x89HDF\r\n\x1a\n', is: 'an HDF5 file, as Keras writes', remedy: RESAVE },
  {
    bytes: 'GGUF',
    is: 'a GGUF file, as llama.cpp uses',
    remedy: 'Open the safetensors checkpoint that it was converted from.',
  },
  { bytes: '\x1f\x8b', is: 'a gzip archive', remedy: 'Unpack it and open the folder.' },
  {
    bytes: 'version https://git-lfs',
    is: 'a Git LFS pointer; the weights themselves were not downloaded',
    remedy: 'Run "git lfs pull" in that folder.',
  },
  {
    bytes: '<',
    is: 'a web page or XML, perhaps an error page saved in place of the file',
    remedy: 'Download the file again.',
    text: true,
  },
];

function beginsWith(head: Uint8Array, bytes: string): boolean {
  return Buffer.from(bytes, 'latin1').equals(head.subarray(0, bytes.length));
}

/** Pickle protocols 2 to 5 begin with PROTO and go on with one of a few opcodes. */
function looksLikePickle(head: Uint8Array): boolean {
  const [first, protocol, next] = head;
  return (
    first === 0x80 &&
    protocol !== undefined &&
    protocol >= 2 &&
    protocol <= 5 &&
    (next === undefined || '}])(clX\x8a\x8c\x95'.includes(String.fromCharCode(next)))
  );
}

/** UTF-8 without control characters, as far as it was read. */
function looksLikeText(head: Uint8Array): boolean {
  if (head.some(byte => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) {
    return false;
  }
  try {
    // As a stream, so that a character cut in two at the end is no error.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Index of the first byte that is no JSON white space. */
function firstInk(head: Uint8Array): number {
  const bom = beginsWith(head, '\xef\xbb\xbf') ? 3 : 0;
  let at = bom;
  while (at < head.length && [0x20, 0x09, 0x0a, 0x0d].includes(head[at]!)) at++;
  return at;
}

function cutOff(file: string, fileBytes: number): CorruptFileError {
  return new CorruptFileError(
    `${file} is no safetensors file, or was cut off after ${fileBytes} bytes.`,
    'Copy or download it again, or open a .safetensors file.',
  );
}

/**
 * Decides from its first bytes what a file is; the extension has no say. 'json' may be the index of
 * a sharded checkpoint. A format promises no more than a beginning worth a closer look.
 * @throws CorruptFileError or UnsupportedError that says what the file looks like instead.
 */
export function recognise(head: Uint8Array, fileBytes: number, file: string): Format | 'json' {
  if (fileBytes === 0) {
    throw new CorruptFileError(
      `${file} is empty.`,
      'Copy or download it again; the transfer may have stopped early.',
    );
  }
  const text = looksLikeText(head);
  if (text && head[firstInk(head)] === 0x7b) return 'json';
  const format = text ? undefined : formats.find(({ recognises }) => recognises(head, fileBytes));
  if (format !== undefined) return format;
  if (fileBytes < 8) throw cutOff(file, fileBytes);
  for (const { bytes, is, remedy, text: textOnly } of signatures) {
    if (beginsWith(head, bytes) && (text || textOnly !== true))
      throw new UnsupportedError(`${file} is ${is}.`, remedy);
  }
  if (looksLikePickle(head)) {
    throw new UnsupportedError(
      `${file} is a Python pickle, as PyTorch used to write; pickles are never opened here because they can run code.`,
      RESAVE,
    );
  }
  if (head.length >= 8 && statedHeaderBytes(head) <= Math.min(MAX_HEADER_BYTES, fileBytes - 8)) {
    return safetensors;
  }
  if (text) {
    throw new UnsupportedError(
      `${file} is a text file, not a checkpoint.`,
      'Open a .safetensors file, or the folder that holds it and its config.json.',
    );
  }
  if (fileBytes === 8) throw cutOff(file, fileBytes);
  throw new UnsupportedError(
    `${file} is no safetensors file and no other format known here.`,
    'Open a .safetensors file, or the folder that holds it and its config.json.',
  );
}

/** Reads JSON that tells of tensors; undefined where it may be the index of shards. @throws UserError */
export const openJson = (text: string, file: FormatFile): Promise<FileContents | undefined> =>
  openModelJson(text, file);

/** Weights of other frameworks by the names people find in a folder. */
const foreignWeights: readonly (readonly [RegExp, string])[] = [
  [/\.(bin|pt|pth|ckpt)(\.index\.json)?$/i, 'PyTorch weights'],
  [/\.(h5|keras)$/i, 'Keras weights'],
  [/\.msgpack$/i, 'Flax weights'],
  [/\.onnx$/i, 'an ONNX model'],
  [/\.gguf$/i, 'a GGUF model'],
];

/** The error for a folder without safetensors in it: names what it holds instead, if anything. */
export function noCheckpointIn(folder: string, names: readonly string[]): UserError {
  for (const [pattern, is] of foreignWeights) {
    const name = names.find(candidate => pattern.test(candidate));
    if (name !== undefined) {
      return new UnsupportedError(`${folder} holds ${is} (${name}) but no safetensors.`, RESAVE);
    }
  }
  const found = names.length === 0 ? 'is empty' : 'holds no safetensors checkpoint';
  return new UserError(
    `${folder} ${found}.`,
    'Give a folder with model.safetensors and config.json, as save_pretrained writes.',
  );
}
