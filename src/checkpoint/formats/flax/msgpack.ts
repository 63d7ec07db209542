import type { ReadBytes } from '../../layouts/layout';
import { quoted } from '../../names';
import { MAX_RANK } from '../../tensor';
import { ReadAhead } from '../readAhead';

/**
 * What msgpack holds, with arrays as places in the file. Libraries for it read all of a file into memory,
 * arrays too; this one passes over them, and counts what a hostile file could have too many of.
 */
export type Node =
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Node> }
  | { readonly kind: 'array'; readonly array: PlacedArray }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'other' };

/** An array of numbers as Flax packs it. */
export interface PlacedArray {
  /** NumPy's name of the element type. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly bytes: number;
}

/** Values in one file at most, keys and sizes included. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 64;
/** Longest text that is read, in bytes: a name. */
const MAX_TEXT = 1024;
/** More bytes than a name, the sizes and the type of an array take together. */
const MOST_OF_VALUE = 4096;

/** Kinds of extension that Flax uses. */
const [ARRAY, SCALAR] = [1, 3];

interface Head {
  readonly kind: 'map' | 'list' | 'text' | 'bytes' | 'extension' | 'number' | 'other';
  /** Entries, items, bytes or the value. */
  readonly size: number;
  /** Of an extension. */
  readonly code?: number;
}

/** Kinds by their first byte, with the bytes of the size that follows. */
const sized: ReadonlyMap<number, readonly [Head['kind'], number]> = new Map([
  [0xc4, ['bytes', 1]],
  [0xc5, ['bytes', 2]],
  [0xc6, ['bytes', 4]],
  [0xc7, ['extension', 1]],
  [0xc8, ['extension', 2]],
  [0xc9, ['extension', 4]],
  [0xcc, ['number', 1]],
  [0xcd, ['number', 2]],
  [0xce, ['number', 4]],
  [0xcf, ['number', 8]],
  [0xd9, ['text', 1]],
  [0xda, ['text', 2]],
  [0xdb, ['text', 4]],
  [0xdc, ['list', 2]],
  [0xdd, ['list', 4]],
  [0xde, ['map', 2]],
  [0xdf, ['map', 4]],
]);

/** Values that say nothing here, with the bytes that follow their first: nil, truths, floats, negative numbers. */
const passed: ReadonlyMap<number, number> = new Map([
  ...[0xc0, 0xc2, 0xc3].map(byte => [byte, 0] as const),
  ...([0xca, 0xd2] as const).map(byte => [byte, 4] as const),
  ...([0xcb, 0xd3] as const).map(byte => [byte, 8] as const),
  [0xd0, 1],
  [0xd1, 2],
]);

/** Reads the tree of a msgpack file; arrays stay where they are. @throws Error that ends "it cannot be used: …" */
export async function readTree(read: ReadBytes, size: number): Promise<Node> {
  const reader = new TreeReader(read, size);
  let root: Node | undefined;
  const open: OpenMap[] = [];
  while (root === undefined || open.length > 0) {
    if (reader.isShort) await reader.readOn();
    const into = open.at(-1);
    if (into?.left === 0) {
      open.pop();
      continue;
    }
    const key = into && reader.key(into);
    const { node, below } = reader.value();
    root ??= node;
    if (into !== undefined && key !== undefined) {
      into.entries.set(key, node);
      into.left--;
    }
    if (below === undefined) continue;
    if (open.push(below) > MAX_DEPTH)
      throw new Error(`it nests more than ${MAX_DEPTH} levels deep`);
  }
  if (reader.at !== size) throw new Error(`something follows its end at byte ${reader.at}`);
  return root;
}

/** A map, or a list by the numbers of its items, whose entries are being read. */
interface OpenMap {
  readonly entries: Map<string, Node>;
  readonly isList: boolean;
  left: number;
}

interface Value {
  readonly node: Node;
  /** Its entries, which come next, where it has any. */
  readonly below?: OpenMap;
}

const other: Value = { node: { kind: 'other' } };

/** Reads values of which each fits into what was read ahead, names and sizes included. */
class TreeReader extends ReadAhead {
  private values = 0;

  constructor(readBytes: ReadBytes, size: number) {
    super(readBytes, size, MOST_OF_VALUE);
  }

  key({ isList, entries }: OpenMap): string {
    if (isList) return String(entries.size);
    const key = this.text();
    if (entries.has(key)) throw new Error(`${quoted(key)} stands in it twice`);
    return key;
  }

  value(): Value {
    const { kind, size, code } = this.head();
    switch (kind) {
      case 'map':
      case 'list': {
        const entries = new Map<string, Node>();
        const below = { entries, isList: kind === 'list', left: size };
        return { node: { kind: 'map', entries }, below };
      }
      case 'number':
        return { node: { kind: 'number', value: size } };
      case 'extension':
        if (code === ARRAY || code === SCALAR) {
          return { node: { kind: 'array', array: this.array(size) } };
        }
        this.pass(size);
        return other;
      case 'text':
      case 'bytes':
        this.pass(size);
        return other;
      case 'other':
        return other;
    }
  }

  /** An array packed into so many bytes: its sizes, the name of its type, its elements. */
  private array(size: number): PlacedArray {
    const end = this.at + size;
    if (end > this.size) throw new Error('it is truncated');
    const [parts, sizes] = [this.head(), this.head()];
    if (parts.kind !== 'list' || parts.size !== 3 || sizes.kind !== 'list') {
      throw new Error('an array in it is not a shape, a type and bytes');
    }
    if (sizes.size > MAX_RANK) throw new Error(`an array in it has more than ${MAX_RANK} axes`);
    const shape: number[] = [];
    while (shape.length < sizes.size) {
      const { kind, size: axis } = this.head();
      if (kind !== 'number') throw new Error('an array in it has a size that is no whole number');
      shape.push(axis);
    }
    const dtype = this.text();
    const { kind, size: bytes } = this.head();
    const begin = this.at;
    this.pass(bytes);
    if (kind !== 'bytes' || this.at !== end) {
      throw new Error('an array in it does not take the bytes that it states');
    }
    return { dtype, shape, begin, bytes };
  }

  private pass(bytes: number): void {
    this.at += bytes;
    if (this.at > this.size) throw new Error('it is truncated');
  }

  private text(): string {
    const { kind, size } = this.head();
    if (kind !== 'text' && kind !== 'bytes') throw new Error('a name in it is no text');
    if (size > MAX_TEXT) throw new Error(`a name in it is longer than ${MAX_TEXT} bytes`);
    try {
      return utf8.decode(this.take(size));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new Error('a name in it is not UTF-8 text', { cause });
    }
  }

  private head(): Head {
    if (++this.values > MAX_VALUES) throw new Error(`it holds more than ${MAX_VALUES} values`);
    const first = this.byte();
    if (first < 0x80) return { kind: 'number', size: first };
    if (first < 0x90) return { kind: 'map', size: first & 15 };
    if (first < 0xa0) return { kind: 'list', size: first & 15 };
    if (first < 0xc0) return { kind: 'text', size: first & 31 };
    if (first >= 0xe0) return { kind: 'other', size: 0 };
    if (first >= 0xd4 && first <= 0xd8) {
      return { kind: 'extension', size: 1 << (first - 0xd4), code: this.byte() };
    }
    const following = passed.get(first);
    if (following !== undefined) {
      this.pass(following);
      return { kind: 'other', size: 0 };
    }
    const [kind, length] = sized.get(first) ?? [];
    if (kind === undefined) throw new Error('it is no msgpack');
    const size = unsigned(this.take(length!));
    return kind === 'extension' ? { kind, size, code: this.byte() } : { kind, size };
  }

  private byte(): number {
    return this.take(1)[0]!;
  }

  private take(bytes: number): Uint8Array {
    const from = this.at - this.blockBegin;
    this.pass(bytes);
    return this.block.subarray(from, from + bytes);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A big-endian number; too large to be exact, it is no size of anything either. */
const unsigned = (bytes: Uint8Array): number =>
  bytes.reduce((value, byte) => value * 256 + byte, 0);
