import { MAX_RANK } from '../../tensor';
import { Cursor, isNowhere } from './bytes';
import { readFilters, type Filter } from './filters';

/** What an object of an HDF5 file says of itself, as far as it is read. */
export interface Hdf5Object {
  /** Of a group of the older form: where the tree of its entries and their names lie. */
  readonly group?: { readonly tree: number; readonly names: number };
  /** Of a group of the newer form: links that it has itself. */
  readonly links?: readonly Link[];
  /** Of such a group: where the others lie, as addresses of a heap and of a tree; absent where there are none. */
  readonly dense?: { readonly heap: number; readonly tree: number };
  readonly isGroup?: boolean;
  readonly shape?: readonly number[];
  /** How far its axes may grow; infinite for those without an end. */
  readonly maxShape?: readonly number[];
  readonly elements?: ElementKind;
  /** Where the values of a data set lie together; -1 where none were written. */
  readonly place?: { readonly begin: number; readonly bytes: number };
  readonly chunks?: ChunkedPlace;
  readonly filters?: readonly Filter[];
  /** One element where no values were written, as the file has it; absent for zeros. */
  readonly fill?: Uint8Array;
  /** Why its values are not read, as the end of a sentence. */
  readonly because?: string;
}

/** An entry of a group: absent address for links by a path. */
export interface Link {
  readonly name: string;
  readonly address?: number;
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

/** How the places of chunks are listed. */
export type ChunkIndexKind =
  'tree' | 'single' | 'implicit' | 'fixedArray' | 'extensibleArray' | 'newTree';

/** Where the chunks of a data set are. */
export interface ChunkedPlace {
  readonly index: ChunkIndexKind;
  readonly address: number;
  /** Elements along each axis. */
  readonly shape: readonly number[];
  /** Bytes of an element, as the chunks have it. */
  readonly elementBytes: number;
  /** Of a single chunk that is packed: its bytes, and the filters that it has not been through. */
  readonly packed?: { readonly bytes: number; readonly skipped: number };
  /** Whether chunks that go beyond the last element are stored without filters. */
  readonly edgesUnfiltered: boolean;
}

/** What stands before a message. */
export interface MessageHead {
  readonly type: number;
  /** Whether what it says stands elsewhere. */
  readonly isShared: boolean;
}

/** What one message tells; `further` is a block of more of them. */
export interface Said extends Omit<Hdf5Object, 'links'> {
  readonly link?: Link;
  readonly further?: { readonly begin: number; readonly length: number };
}

const tellsOfData = new Set([0x01, 0x03, 0x05, 0x08, 0x0b]);

/** Reads a message of an object's header. @param begin its first byte in the file */
export function readMessage({ type, isShared }: MessageHead, body: DataView, begin: number): Said {
  if (isShared) {
    return tellsOfData.has(type)
      ? {
          because: 'what it holds is described in another place of the file (a named type)',
          ...plain(type),
        }
      : {};
  }
  const from = new Cursor(body);
  switch (type) {
    case 0x01:
      return readSpace(from);
    case 0x02:
      return readLinkInfo(from);
    case 0x03:
      return { elements: elementKind(from) };
    case 0x04:
      return fillOf(from, from.number(4));
    case 0x05:
      return readFill(from);
    case 0x06:
      return { isGroup: true, link: readLink(from) };
    case 0x07:
      return { because: 'its values lie in another file, which HDF5 would look for anywhere' };
    case 0x08:
      return readLayout(from, begin);
    case 0x0b:
      return readFilters(from);
    case 0x10:
      return { further: { begin: from.number(8), length: from.number(8) } };
    case 0x11:
      return { isGroup: true, group: { tree: from.number(8), names: from.number(8) } };
    default:
      return {};
  }
}

/** What stands for a description that is not read, so that a data set is seen as one. */
const plain = (type: number): Said =>
  type === 0x03
    ? { elements: { kind: 'other', size: 0, isBigEndian: false, isSigned: false, exponent: 0 } }
    : {};

function readSpace(from: Cursor): Said {
  const [version, rank, flags] = [from.number(1), from.number(1), from.number(1)];
  const kind = from.number(1);
  if (version === 1) from.skip(4);
  if (rank > MAX_RANK) throw new Error(`a data set in it has more than ${MAX_RANK} axes`);
  // No elements at all, which is not the same as one.
  if (version === 2 && kind === 2) return { shape: [0] };
  const sizes = (): number[] => Array.from({ length: rank }, () => from.number(8));
  const shape = sizes();
  const most = (flags & 1) !== 0 ? sizes() : shape;
  return { shape, maxShape: most.map(size => (size >= 2 ** 63 ? Infinity : size)) };
}

function readLinkInfo(from: Cursor): Said {
  const [, flags] = [from.number(1), from.number(1)];
  if ((flags & 1) !== 0) from.skip(8);
  const [heap, tree] = [from.number(8), from.number(8)];
  return { isGroup: true, ...(!isNowhere(heap) && { dense: { heap, tree } }) };
}

/** Longest name of a link, in bytes. */
const MAX_NAME_BYTES = 1024;

/** Reads one link of a group of the newer form. @throws Error that ends "it cannot be used: …" */
export function readLink(from: Cursor): Link {
  const [version, flags] = [from.number(1), from.number(1)];
  if (version !== 1) throw new Error('a link in it is of no known version');
  const kind = (flags & 8) !== 0 ? from.number(1) : 0;
  if ((flags & 4) !== 0) from.skip(8);
  if ((flags & 16) !== 0) from.skip(1);
  const length = from.number(1 << (flags & 3));
  if (length > MAX_NAME_BYTES) throw new Error(`a name in it has ${length} bytes`);
  const text = from.part(length);
  const name = Buffer.from(text.buffer, text.byteOffset, length).toString('utf8');
  return kind === 0 ? { name, address: from.number(8) } : { name };
}

function elementKind(from: Cursor): ElementKind {
  const [class_, bits] = [from.number(1) & 15, from.number(1)];
  from.skip(2);
  const size = from.number(4);
  const isWhole = class_ === 0 || class_ === 1;
  const isFloat = class_ === 1 && from.left >= 6;
  if (isFloat) from.skip(5);
  return {
    kind: class_ === 0 ? 'integer' : class_ === 1 ? 'float' : 'other',
    size,
    isBigEndian: isWhole && (bits & 1) === 1,
    isSigned: (bits & 8) !== 0,
    exponent: isFloat ? from.number(1) : 0,
  };
}

function readFill(from: Cursor): Said {
  const version = from.number(1);
  if (version >= 3) return (from.number(1) & 32) !== 0 ? fillOf(from, from.number(4)) : {};
  from.skip(2);
  const isDefined = from.number(1) !== 0;
  return isDefined || version === 1 ? fillOf(from, from.number(4)) : {};
}

function fillOf(from: Cursor, bytes: number): Said {
  if (bytes === 0 || bytes > from.left) return {};
  const value = from.part(bytes);
  return { fill: new Uint8Array(value.buffer, value.byteOffset, bytes).slice() };
}

const OTHER_LAYOUT = 'its values lie in a way that is not known';

function readLayout(from: Cursor, begin: number): Said {
  const [version, class_] = [from.number(1), from.number(1)];
  if (version < 3 || version > 5) return { because: OTHER_LAYOUT };
  switch (class_) {
    case 0: {
      const bytes = from.number(2);
      return { place: { begin: begin + from.skip(bytes), bytes } };
    }
    case 1: {
      const [address, bytes] = [from.number(8), from.number(8)];
      return { place: { begin: isNowhere(address) ? -1 : address, bytes } };
    }
    case 2:
      return { chunks: version === 3 ? olderChunks(from) : newerChunks(from) };
    case 3:
      return { because: 'its values are put together of other data sets, of other files perhaps' };
    default:
      return { because: OTHER_LAYOUT };
  }
}

function rankOf(from: Cursor): number {
  const rank = from.number(1) - 1;
  if (rank < 1 || rank > MAX_RANK)
    throw new Error('a data set in it has chunks of no usable shape');
  return rank;
}

function olderChunks(from: Cursor): ChunkedPlace {
  const rank = rankOf(from);
  const address = from.number(8);
  const shape = Array.from({ length: rank }, () => from.number(4));
  return { index: 'tree', address, shape, elementBytes: from.number(4), edgesUnfiltered: false };
}

const newerIndexes: readonly (ChunkIndexKind | undefined)[] = [
  undefined,
  'single',
  'implicit',
  'fixedArray',
  'extensibleArray',
  'newTree',
];
/** Bytes of what a message says of an index, which the index says too. */
const indexBytes: Readonly<Record<ChunkIndexKind, number>> = {
  tree: 0,
  single: 0,
  implicit: 0,
  fixedArray: 1,
  extensibleArray: 5,
  newTree: 6,
};

function newerChunks(from: Cursor): ChunkedPlace {
  const flags = from.number(1);
  const rank = rankOf(from);
  const sizeBytes = from.number(1);
  if (sizeBytes < 1 || sizeBytes > 8) {
    throw new Error('a data set in it has chunks of no usable shape');
  }
  const shape = Array.from({ length: rank }, () => from.number(sizeBytes));
  const elementBytes = from.number(sizeBytes);
  const index = newerIndexes[from.number(1)];
  if (index === undefined)
    throw new Error('the chunks of a data set in it are listed in no known way');
  from.skip(indexBytes[index]);
  const isPacked = index === 'single' && (flags & 2) !== 0;
  const packed = isPacked ? { bytes: from.number(8), skipped: from.number(4) } : undefined;
  return {
    index,
    address: from.number(8),
    shape,
    elementBytes,
    ...(packed && { packed }),
    edgesUnfiltered: (flags & 1) !== 0,
  };
}
