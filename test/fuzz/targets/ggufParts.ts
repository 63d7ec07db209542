import { flipBytes, type Draw } from '../mutate';

/** An entry of a GGUF file's metadata, its value as bytes. */
interface Entry {
  readonly key: string;
  readonly kind: number;
  readonly value: Buffer;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly bigint[];
  readonly kind: number;
  readonly offset: bigint;
}

/** What a GGUF file is made of. */
interface GgufParts {
  readonly version: number;
  readonly entries: readonly Entry[];
  readonly tensors: readonly Tensor[];
  readonly data: Buffer;
}

const [STRING, ARRAY] = [8, 9];
/** Bytes of a value by its kind; texts and lists tell theirs. */
const bytesOfKind: Readonly<Record<number, number>> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 },
};
const ALIGNMENT = 32;

/** Takes a file that is whole apart. */
export function ggufParts(bytes: Buffer): GgufParts {
  let at = 4;
  const uint32 = (): number => bytes.readUInt32LE((at += 4) - 4);
  const uint64 = (): bigint => bytes.readBigUInt64LE((at += 8) - 8);
  const text = (): string => {
    const length = Number(uint64());
    return bytes.toString('latin1', at, (at += length));
  };
  const skip = (kind: number): void => {
    if (kind === STRING) text();
    else if (kind === ARRAY) {
      const of = uint32();
      for (let left = uint64(); left > 0n; left--) skip(of);
    } else at += bytesOfKind[kind]!;
  };
  const version = uint32();
  const [tensorCount, entryCount] = [Number(uint64()), Number(uint64())];
  const entries = Array.from({ length: entryCount }, (): Entry => {
    const [key, kind] = [text(), uint32()];
    const begin = at;
    skip(kind);
    return { key, kind, value: bytes.subarray(begin, at) };
  });
  const tensors = Array.from({ length: tensorCount }, (): Tensor => {
    const name = text();
    const shape = Array.from({ length: uint32() }, uint64);
    return { name, shape, kind: uint32(), offset: uint64() };
  });
  return { version, entries, tensors, data: bytes.subarray(Math.ceil(at / ALIGNMENT) * ALIGNMENT) };
}

const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
};
const uint64 = (value: bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, value));
  return buffer;
};
const text = (value: string): Buffer =>
  Buffer.concat([uint64(BigInt(value.length)), Buffer.from(value, 'latin1')]);

/** A file of its parts, with lengths that are right. */
export function joinGguf({ version, entries, tensors, data }: GgufParts): Buffer {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    ...[uint32(version), uint64(BigInt(tensors.length)), uint64(BigInt(entries.length))],
    ...entries.flatMap(({ key, kind, value }) => [text(key), uint32(kind), value]),
    ...tensors.flatMap(({ name, shape, kind, offset }) => [
      ...[text(name), uint32(shape.length), ...shape.map(uint64), uint32(kind), uint64(offset)],
    ]),
  ]);
  const padding = Buffer.alloc((ALIGNMENT - (head.length % ALIGNMENT)) % ALIGNMENT);
  return Buffer.concat([head, padding, data]);
}

/** A list with one of its items replaced by some, or none. */
const replaced = <T>(list: readonly T[], draw: Draw, by: (item: T) => readonly T[]): T[] => {
  const at = draw.below(list.length);
  return list.flatMap((item, index) => (index === at ? by(item) : [item]));
};

/** A value of a number or a text that its kind allows. */
function otherValue({ kind, value, ...rest }: Entry, draw: Draw): Entry {
  if (kind === STRING) {
    const said = value.toString('latin1', 8);
    const other = draw.pick([
      ...['', 'x', 'llama', 'gpt2', 'bert', '\x00', '{{', '../x', 'a'.repeat(3000)],
      ...[said.slice(1), `${said}${said}`, said.toUpperCase()],
    ]);
    return { ...rest, kind, value: text(other) };
  }
  if (value.length === 0) return { ...rest, kind, value };
  const changed = Buffer.from(value);
  if (kind === ARRAY) {
    // Behind the kind of its items and how many there are.
    if (value.length > 12) changed[12 + draw.below(value.length - 12)] = draw.below(256);
    return { ...rest, kind, value: changed };
  }
  if (draw.chance(0.5)) changed[0] = changed[0]! + draw.pick([1, 255]);
  else if (draw.chance(0.5)) changed.fill(draw.pick([0, 0xff]));
  else changed[draw.below(changed.length)] = draw.below(256);
  return { ...rest, kind, value: changed };
}

function otherEntries(entries: readonly Entry[], draw: Draw): readonly Entry[] {
  if (entries.length === 0) return entries;
  switch (draw.below(16)) {
    case 0:
      return replaced(entries, draw, () => []);
    case 1:
      return replaced(entries, draw, entry => [{ ...entry, key: draw.pick(entries).key }]);
    case 2:
      return replaced(entries, draw, entry => [entry, { ...entry, key: `${entry.key}.more` }]);
    case 3:
      return replaced(entries, draw, entry => [{ ...draw.pick(entries), key: entry.key }]);
    default:
      return replaced(entries, draw, entry => [otherValue(entry, draw)]);
  }
}

const strangeSizes = [0n, 1n, 3n, 2n ** 31n, 2n ** 40n, 2n ** 63n, -1n];

function otherTensor(tensor: Tensor, draw: Draw): readonly Tensor[] {
  const { name, shape, kind, offset } = tensor;
  switch (draw.below(7)) {
    case 0:
      return [{ ...tensor, shape: [...shape].reverse() }];
    case 1:
      return [{ ...tensor, shape: replaced(shape, draw, () => [draw.pick(strangeSizes)]) }];
    case 2:
      return [{ ...tensor, kind: draw.pick([kind + 1, 0, 1, 2, 8, 30, 200]) }];
    case 3:
      return [{ ...tensor, offset: draw.pick([0n, offset + 32n, offset + 1n, ...strangeSizes]) }];
    case 4:
      return [{ ...tensor, name: draw.pick([`${name}.x`, '', '../x', name.replace('0', '1')]) }];
    case 5:
      return [];
    default:
      return [
        {
          ...tensor,
          shape: replaced(shape, draw, size => [draw.chance(0.5) ? size / 2n : size - 1n]),
        },
      ];
  }
}

/** Changes an entry, a tensor or data: one place as a rule, so that most of the file is still read. */
export function mutateParts(parts: GgufParts, draw: Draw): GgufParts {
  let changed = parts;
  for (let changes = draw.chance(0.7) ? 1 : 3; changes > 0; changes--) {
    const kind = draw.below(10);
    if (kind < 6) changed = { ...changed, entries: otherEntries(changed.entries, draw) };
    else if (kind < 8 && changed.tensors.length > 0) {
      const tensors = replaced(changed.tensors, draw, tensor => otherTensor(tensor, draw));
      changed = { ...changed, tensors };
    } else if (changed.data.length > 0)
      changed = { ...changed, data: flipBytes(changed.data, draw) };
  }
  return changed;
}
