import { MAX_RANK } from '../../tensor';
import { wordAt, type FileBytes } from './bytes';

/** What an object of an HDF5 file says of itself, as far as it is read. */
export interface Hdf5Object {
  /** Of a group: where the tree of its entries and their names lie. */
  readonly group?: { readonly tree: number; readonly names: number };
  readonly shape?: readonly number[];
  readonly elements?: ElementKind;
  /** Where the values of a data set lie together; -1 where none were written. */
  readonly place?: { readonly begin: number; readonly bytes: number };
  /** Why its values are not read, as the end of a sentence. */
  readonly because?: string;
}

/** An element type: the class, the size in bytes, and how it is written. */
export interface ElementKind {
  readonly kind: 'integer' | 'float' | 'other';
  readonly size: number;
  readonly isBigEndian: boolean;
  readonly isSigned: boolean;
  /** Bits of a float's exponent. */
  readonly exponent: number;
}

/** Messages of one object, and blocks that they lie in. */
const MAX_MESSAGES = 4_096;
const MAX_BLOCKS = 256;

const NEWER =
  'it, or a part of it, is of the newer layout of HDF5 (libver="latest", links to other files), which is not read';

/** Reads an object's header. @throws Error that ends "it cannot be used: …" */
export async function readObject(file: FileBytes, address: number): Promise<Hdf5Object> {
  const head = await file.at(address, 16);
  if (head.getUint8(0) !== 1) {
    const isNewer = head.getUint32(0, false) === 0x4f484452; // OHDR
    throw new Error(isNewer ? NEWER : 'there is no object where one should be');
  }
  const messages = head.getUint16(2, true);
  if (messages > MAX_MESSAGES) throw new Error('an object in it says too much of itself');
  const blocks = [{ begin: address + 16, length: head.getUint32(8, true) }];
  const object: Draft = {};
  let seen = 0;
  for (const { begin, length } of blocks) {
    const end = begin + length;
    for (let at = begin; at + 8 <= end && seen < messages; seen++) {
      const message = await file.at(at, 8);
      const size = message.getUint16(2, true);
      if (at + 8 + size > end) throw new Error('an object in it is cut off');
      const body = await file.at(at + 8, size);
      at += 8 + size;
      readMessage(message.getUint16(0, true), body, object, at - size, blocks);
      if (blocks.length > MAX_BLOCKS) throw new Error('an object in it lies in too many pieces');
    }
  }
  return object;
}

type Draft = { -readonly [K in keyof Hdf5Object]: Hdf5Object[K] };

function readMessage(
  type: number,
  body: DataView,
  object: Draft,
  begin: number,
  blocks: { begin: number; length: number }[],
): void {
  const need = (bytes: number): void => {
    if (body.byteLength < bytes) throw new Error('an object in it is cut off');
  };
  switch (type) {
    case 0x01: {
      need(4);
      const [version, rank] = [body.getUint8(0), body.getUint8(1)];
      const at = version === 1 ? 8 : 4;
      if (rank > MAX_RANK) throw new Error(`a data set in it has more than ${MAX_RANK} axes`);
      need(at + 8 * rank);
      object.shape = Array.from({ length: rank }, (_, axis) => wordAt(body, at + 8 * axis));
      // No elements at all, which is not the same as one.
      if (version === 2 && body.getUint8(3) === 2) object.shape = [0];
      return;
    }
    case 0x03:
      need(8);
      object.elements = elementKind(body);
      return;
    case 0x06:
    case 0x02:
      throw new Error(NEWER);
    case 0x07:
      object.because = 'its values lie in another file, which HDF5 would look for anywhere';
      return;
    case 0x08:
      readLayout(body, object, begin, need);
      return;
    case 0x10:
      need(16);
      blocks.push({ begin: wordAt(body, 0), length: wordAt(body, 8) });
      return;
    case 0x11:
      need(16);
      object.group = { tree: wordAt(body, 0), names: wordAt(body, 8) };
  }
}

function elementKind(body: DataView): ElementKind {
  const [class_, bits] = [body.getUint8(0) & 15, body.getUint8(1)];
  const size = body.getUint32(4, true);
  const isWhole = class_ === 0 || class_ === 1;
  return {
    kind: class_ === 0 ? 'integer' : class_ === 1 ? 'float' : 'other',
    size,
    isBigEndian: isWhole && (bits & 1) === 1,
    isSigned: (bits & 8) !== 0,
    exponent: class_ === 1 && body.byteLength >= 14 ? body.getUint8(13) : 0,
  };
}

function readLayout(
  body: DataView,
  object: Draft,
  begin: number,
  need: (bytes: number) => void,
): void {
  need(4);
  const [version, class_] = [body.getUint8(0), body.getUint8(1)];
  if (version === 3 && class_ === 0) {
    const bytes = body.getUint16(2, true);
    need(4 + bytes);
    object.place = { begin: begin + 4, bytes };
  } else if (version === 3 && class_ === 1) {
    need(18);
    const address = wordAt(body, 2);
    object.place = { begin: address >= 2 ** 63 ? -1 : address, bytes: wordAt(body, 10) };
  } else {
    object.because ??= 'its values lie in chunks, which are not put together here';
  }
}
