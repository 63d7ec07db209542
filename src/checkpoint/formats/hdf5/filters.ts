import { inflateSync } from 'node:zlib';

import { quoted } from '../../names';
import type { Cursor } from './bytes';
import { fletcher32 } from './fletcher32';

/** What bytes of a chunk went through when they were written. */
export type Filter =
  | { readonly kind: 'deflate' }
  | { readonly kind: 'shuffle'; readonly elementBytes: number }
  | { readonly kind: 'fletcher32' };

/** Most filters of a data set; HDF5 allows 32, and each is known once here. */
const MAX_FILTERS = 32;
/** The first number of filters that are not HDF5's own, and have names. */
const FIRST_OTHER = 256;
/** Deflate makes nothing smaller than this many times. */
const MOST_DEFLATED = 1040;
/** Bytes of the sum that Fletcher's filter puts behind a chunk. */
const SUM_BYTES = 4;

/** Filters that are known and not read. */
const otherFilters: ReadonlyMap<number, string> = new Map([
  [4, 'szip'],
  [5, 'nbit'],
  [6, 'scaleoffset'],
  [32000, 'lzf'],
  [32001, 'blosc'],
  [32004, 'lz4'],
  [32008, 'bitshuffle'],
  [32013, 'zfp'],
  [32015, 'zstd'],
  [32026, 'blosc2'],
]);

/** What a message says of filters: those that are read here, or why not. */
export function readFilters(from: Cursor): {
  readonly filters?: readonly Filter[];
  readonly because?: string;
} {
  const [version, count] = [from.number(1), from.number(1)];
  if (count > MAX_FILTERS) throw new Error('a data set in it is packed in too many ways');
  if (version === 1) from.skip(6);
  const filters: Filter[] = [];
  for (let i = 0; i < count; i++) {
    const { id, name, values } = readFilter(from, version);
    const filter = filterOf(id, values);
    if (filter === undefined) {
      return {
        because: `it is packed by ${otherFilters.get(id) ?? `filter ${id} (${quoted(name)})`}`,
      };
    }
    if (filters.some(({ kind }) => kind === filter.kind)) {
      return { because: `it is packed by ${filter.kind} twice` };
    }
    filters.push(filter);
  }
  return { filters };
}

function readFilter(
  from: Cursor,
  version: number,
): { readonly id: number; readonly name: string; readonly values: readonly number[] } {
  const id = from.number(2);
  const nameBytes = version === 1 || id >= FIRST_OTHER ? from.number(2) : 0;
  from.skip(2);
  const count = from.number(2);
  const text = from.part(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
  const name = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1');
  const values = Array.from({ length: count }, () => from.number(4));
  if (version === 1 && count % 2 === 1) from.skip(4);
  return { id, name: name.replace(/\0.*$/s, ''), values };
}

function filterOf(id: number, values: readonly number[]): Filter | undefined {
  switch (id) {
    case 1:
      return { kind: 'deflate' };
    case 2:
      return { kind: 'shuffle', elementBytes: values[0] ?? 1 };
    case 3:
      return { kind: 'fletcher32' };
    default:
      return undefined;
  }
}

/** The filters that a chunk went through. @param skipped a bit for each that it did not */
export const passed = (filters: readonly Filter[], skipped: number): readonly Filter[] =>
  filters.filter((_, at) => ((skipped >>> at) & 1) === 0);

/** Whether so many stored bytes can be what filters made of a chunk of so many. */
export function canHold(filters: readonly Filter[], stored: number, bytes: number): boolean {
  const sum = filters.some(({ kind }) => kind === 'fletcher32') ? SUM_BYTES : 0;
  return filters.some(({ kind }) => kind === 'deflate')
    ? stored * MOST_DEFLATED >= bytes
    : stored === bytes + sum;
}

/**
 * What a chunk held before it went through filters. Never more memory than it has and was stored with.
 * @param bytes of the chunk
 * @throws Error that says what is wrong
 */
export function unpacked(
  stored: Uint8Array,
  filters: readonly Filter[],
  bytes: number,
): Uint8Array {
  let data = stored;
  for (const filter of [...filters].reverse()) {
    switch (filter.kind) {
      case 'deflate':
        data = inflateSync(data, { maxOutputLength: bytes + SUM_BYTES });
        break;
      case 'shuffle':
        data = unshuffled(data, filter.elementBytes);
        break;
      case 'fletcher32':
        data = withoutSum(data);
    }
  }
  if (data.length !== bytes) throw new Error(`it holds ${data.length} bytes in place of ${bytes}`);
  return data;
}

function withoutSum(data: Uint8Array): Uint8Array {
  const end = data.length - SUM_BYTES;
  if (end < 0) throw new Error('it has no sum');
  const stated = new DataView(data.buffer, data.byteOffset + end, SUM_BYTES).getUint32(0, true);
  const own = data.subarray(0, end);
  if (fletcher32(own) !== stated) throw new Error('its sum is another');
  return own;
}

/** Bytes of elements whose first bytes stand together, then their second ones, and so on. */
function unshuffled(data: Uint8Array, elementBytes: number): Uint8Array {
  const count = Math.floor(data.length / elementBytes);
  if (elementBytes < 2 || count < 2) return data;
  const out = new Uint8Array(data.length);
  for (let byte = 0; byte < elementBytes; byte++) {
    const from = byte * count;
    for (let i = 0, to = byte; i < count; i++, to += elementBytes) out[to] = data[from + i]!;
  }
  out.set(data.subarray(count * elementBytes), count * elementBytes);
  return out;
}
