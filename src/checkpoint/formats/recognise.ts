import { CorruptFileError, UnsupportedError, UserError } from '../../errors';
import { flax } from './flax/format';
import { foreignByBytes, foreignByNames, whyNotGrown } from './foreign';
import type { FileContents, Format, FormatFile } from './format';
import { hdf5 } from './hdf5/format';
import { llama2c } from './llama2c/format';
import { npy, npz } from './numpy/format';
import { onnx } from './onnx/format';
import { safetensors } from './safetensors/format';
import { MAX_HEADER_BYTES, statedHeaderBytes } from './safetensors/header';
import { openModelJson } from './tfjs/format';

/** Every format that is read, in the order in which a file is tried. */
const formats: readonly Format[] = [npy, npz, hdf5, llama2c, safetensors, flax, onnx];

/** Bytes of a file's beginning that are enough to tell what it is. */
export const HEAD_BYTES = 4096;

const RESAVE =
  'Load it in Python and save it with model.save_pretrained(folder, safe_serialization=True), then open that folder.';

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
  const foreign = foreignByBytes(head, text);
  if (foreign !== undefined) {
    throw new UnsupportedError(`${file} is ${foreign.is}${whyNotGrown(foreign)}.`, foreign.remedy);
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

/** The error for a folder without safetensors in it: names what it holds instead, if anything. */
export function noCheckpointIn(folder: string, names: readonly string[]): UserError {
  const foreign = foreignByNames(names);
  if (foreign !== undefined) {
    const { kind, name } = foreign;
    return new UnsupportedError(
      `${folder} holds ${kind.is} (${name}) but no safetensors${whyNotGrown(kind)}.`,
      kind.remedy,
    );
  }
  const found = names.length === 0 ? 'is empty' : 'holds no safetensors checkpoint';
  return new UserError(
    `${folder} ${found}.`,
    'Give a folder with model.safetensors and config.json, as save_pretrained writes.',
  );
}
