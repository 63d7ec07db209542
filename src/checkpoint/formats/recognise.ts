import { CorruptFileError, UnsupportedError, UserError } from '../../errors';
import { flax } from './flax/format';
import { foreignByBytes, foreignByNames, whyNotGrown } from './foreign';
import type { FileContents, Format, FormatFile } from './format';
import { gguf } from './gguf/format';
import { hdf5 } from './hdf5/format';
import { keras } from './keras/format';
import { llama2c } from './llama2c/format';
import { npy, npz } from './numpy/format';
import { onnx } from './onnx/format';
import { pytorch } from './pytorch/format';
import { safetensors } from './safetensors/format';
import { MAX_HEADER_BYTES, statedHeaderBytes } from './safetensors/header';
import { openModelJson } from './tfjs/format';

/** Every format that is read, in the order in which a file is tried: those with a signature first. */
const formats: readonly Format[] = [
  ...[gguf, npy, npz, hdf5, keras, llama2c],
  ...[safetensors, pytorch, flax, onnx],
];

/** Bytes of a file's beginning that are enough to tell what it is. */
export const HEAD_BYTES = 4096;

const RESAVE_TRUSTED =
  'If you trust where it comes from, load it in Python and save it with model.save_pretrained(folder), then open that folder.';

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

/** Throws for an archive of the form that torch wrote in 2016. */
function refuseTar(head: Uint8Array, file: string): void {
  if (!beginsWith(head.subarray(257), 'ustar')) return;
  const [first] = Buffer.from(head.subarray(0, 100)).toString('latin1').split('\0');
  if (!['sys_info', 'pickle', 'tensors', 'storages'].includes(first ?? '')) return;
  throw new UnsupportedError(
    `${file} is a tar archive, as PyTorch wrote before version 0.1.10; its values are not read here.`,
    'If you trust where it comes from, load it in Python with torch.load and save its tensors with torch.save.',
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
    `${file} is no file of weights, or was cut off after ${fileBytes} bytes.`,
    'Copy or download it again, or open another file.',
  );
}

/** Whether the first bytes of a file of this many bytes are those of a format that is read. */
export const isOfFormat = (head: Uint8Array, fileBytes: number): boolean =>
  !looksLikeText(head) && formats.some(({ recognises }) => recognises(head, fileBytes));

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
  refuseTar(head, file);
  const foreign = foreignByBytes(head, text);
  if (foreign !== undefined) {
    throw new UnsupportedError(`${file} is ${foreign.is}${whyNotGrown(foreign)}.`, foreign.remedy);
  }
  if (looksLikePickle(head)) {
    throw new UnsupportedError(
      `${file} is a Python pickle, but not as torch.save writes; such pickles are never opened here because they can run code.`,
      RESAVE_TRUSTED,
    );
  }
  if (head.length >= 8 && statedHeaderBytes(head) <= Math.min(MAX_HEADER_BYTES, fileBytes - 8)) {
    return safetensors;
  }
  if (text) {
    throw new UnsupportedError(
      `${file} is a text file, not a checkpoint.`,
      'Open a file of weights (.safetensors, .bin, .pt), or the folder that holds it and its config.json.',
    );
  }
  if (fileBytes === 8) throw cutOff(file, fileBytes);
  throw new UnsupportedError(
    `${file} is of no format known here.`,
    'Open a file of weights (.safetensors, .bin, .pt), or the folder that holds it and its config.json.',
  );
}

/** Reads JSON that tells of tensors; undefined where it may be the index of shards. @throws UserError */
export const openJson = (text: string, file: FormatFile): Promise<FileContents | undefined> =>
  openModelJson(text, file);

/** The error for a folder without a checkpoint in it: names what it holds instead, if anything. */
export function noCheckpointIn(folder: string, names: readonly string[]): UserError {
  const foreign = foreignByNames(names);
  if (foreign !== undefined) {
    const { kind, name } = foreign;
    return new UnsupportedError(
      `${folder} holds ${kind.is} (${name}) but no weights that are read here${whyNotGrown(kind)}.`,
      kind.remedy,
    );
  }
  const kept = names.find(candidate => /\.(bin|pt|pth)$/i.test(candidate));
  const found =
    names.length === 0
      ? 'is empty'
      : kept === undefined
        ? 'holds no checkpoint'
        : `holds what a trainer keeps beside a model (${kept}), but no weights`;
  return new UserError(
    `${folder} ${found}.`,
    'Give a folder with model.safetensors or pytorch_model.bin and config.json, as save_pretrained writes.',
  );
}
