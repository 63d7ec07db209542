import type { Draw } from '../mutate';

/** A structure of a file. */
interface Structure {
  readonly kind: string;
  readonly at: number;
}

/** A word that tells where a structure lies. */
interface Pointer {
  readonly at: number;
  readonly to: Structure;
  /** The structure that the word is in, which is the last one that begins before it. */
  readonly inside: Structure;
}

interface Addresses {
  readonly structures: readonly Structure[];
  readonly pointers: readonly Pointer[];
}

/** What structures begin with: trees, groups, heaps, headers of objects, indexes of chunks. */
const signatures = [
  ...[
    'TREE',
    'SNOD',
    'HEAP',
    'GCOL',
    'OHDR',
    'OCHK',
    'BTHD',
    'BTIN',
    'BTLF',
    'FRHP',
    'FHDB',
    'FHIB',
  ],
  ...['EAHD', 'EAIB', 'EASB', 'EADB', 'FAHD', 'FADB'],
];
/** A header of an object of the older form has no signature. */
const HEADER = 'header';
const CONTINUATION = 0x10;

/** The structures of a file that is whole, and where it tells of them. */
export function addressesIn(bytes: Buffer): Addresses {
  const structures: Structure[] = [];
  for (let at = 8; at + 24 <= bytes.length; at++) {
    const kind = bytes.toString('latin1', at, at + 4);
    if (signatures.includes(kind)) structures.push({ kind, at });
    else if (at % 8 === 0 && isHeader(bytes, at)) structures.push({ kind: HEADER, at });
  }
  const byAddress = new Map(structures.map(structure => [structure.at, structure]));
  const pointers: Pointer[] = [];
  let inside = 0;
  for (let at = 8; at + 8 <= bytes.length; at++) {
    while ((structures[inside + 1]?.at ?? Infinity) <= at) inside++;
    if (bytes.readUInt32LE(at + 4) !== 0) continue;
    const to = byAddress.get(bytes.readUInt32LE(at));
    if (to) pointers.push({ at, to, inside: structures[inside]! });
  }
  return { structures, pointers };
}

const isHeader = (bytes: Buffer, at: number): boolean => {
  const [messages, references] = [bytes.readUInt16LE(at + 2), bytes.readUInt32LE(at + 4)];
  const length = bytes.readUInt32LE(at + 8);
  const isPlausible = messages > 0 && messages < 200 && references < 100 && length >= 8 * messages;
  return bytes.readUInt16LE(at) === 1 && isPlausible && at + 16 + length <= bytes.length;
};

/** A file in which something leads back to itself, to what holds it, or to another of its kind. */
export function circular(bytes: Buffer, { structures, pointers }: Addresses, draw: Draw): Buffer {
  if (draw.chance(0.25)) {
    const headers = structures.filter(({ kind }) => kind === HEADER || kind === 'OHDR');
    return continued(bytes, draw.pick(headers), draw);
  }
  const out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(3); changes > 0; changes--) {
    const { at, to, inside } = draw.pick(pointers);
    const ofItsKind = structures.filter(({ kind }) => kind === to.kind);
    const where = draw.pick([
      ...[inside, to, draw.pick(ofItsKind), draw.pick(ofItsKind), draw.pick(structures)],
      pointers.find(pointer => pointer.to === inside)?.inside ?? inside,
    ]).at;
    const elsewhere = [0n, 1n, BigInt(bytes.length), BigInt(at), 2n ** 53n, 2n ** 64n - 1n];
    out.writeBigUInt64LE(draw.chance(0.85) ? BigInt(where) : draw.pick(elsewhere), at);
    // A node that says it stands above others, or holds more.
    if (draw.chance(0.15)) out[inside.at + 5] = draw.pick([0, 1, 2, 255]);
    if (draw.chance(0.15)) out.writeUInt16LE(draw.pick([0, 1, 2, 255, 65535]), inside.at + 6);
  }
  return out;
}

/** A header of an object with a message that says the header goes on in itself, or in what goes on in itself. */
function continued(bytes: Buffer, { kind, at }: Structure, draw: Draw): Buffer {
  const end = BigInt(bytes.length);
  if (kind === HEADER) {
    const length = bytes.readUInt32LE(at + 8);
    const message = draw.pick(messagesOf(bytes, at + 16, length));
    const out = Buffer.from(bytes);
    if (message === undefined) return out;
    out.writeUInt16LE(CONTINUATION, message);
    if (draw.chance(0.3)) out.writeUInt16LE(0xffff, at + 2);
    const begin = draw.pick([at + 16, at, message]);
    out.writeBigUInt64LE(draw.chance(0.3) ? end : BigInt(begin), message + 8);
    out.writeBigUInt64LE(BigInt(draw.pick([length, 24, 16, 2 ** 31])), message + 16);
    return Buffer.concat([out, olderBlock(end)]);
  }
  const flags = bytes[at + 5]!;
  const headBytes = (flags & 4) !== 0 ? 6 : 4;
  const before = 6 + ((flags & 32) !== 0 ? 16 : 0) + ((flags & 16) !== 0 ? 4 : 0);
  const first = at + before + (1 << (flags & 3));
  const block = Buffer.alloc(4 + headBytes + 16 + 4);
  block.write('OCHK', 'latin1');
  const words = (into: Buffer, from: number): void => {
    into[from] = CONTINUATION;
    into.writeUInt16LE(16, from + 1);
    into[from + 3] = 0;
    into.writeBigUInt64LE(end, from + headBytes);
    into.writeBigUInt64LE(BigInt(block.length), from + headBytes + 8);
  };
  words(block, 4);
  const out = Buffer.concat([bytes, block]);
  words(out, first);
  return out;
}

/** Messages of at least sixteen bytes in a block of the older form. */
function messagesOf(bytes: Buffer, begin: number, length: number): number[] {
  const found: number[] = [];
  for (let at = begin; at + 24 <= begin + length; at += 8 + bytes.readUInt16LE(at + 2)) {
    if (bytes.readUInt16LE(at + 2) >= 16) found.push(at);
  }
  return found;
}

/** A block behind the file that goes on in itself. */
function olderBlock(end: bigint): Buffer {
  const block = Buffer.alloc(24);
  block.writeUInt16LE(CONTINUATION, 0);
  block.writeUInt16LE(16, 2);
  block.writeBigUInt64LE(end, 8);
  block.writeBigUInt64LE(24n, 16);
  return block;
}
