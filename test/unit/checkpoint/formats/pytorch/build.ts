import { open } from 'node:fs/promises';
import { crc32, deflateRawSync } from 'node:zlib';

/** A file to put into an archive. */
export interface Member {
  readonly name: string;
  readonly bytes: Buffer;
  /** 0 for bytes as they are, 8 for deflated ones. */
  readonly method?: number;
  readonly flags?: number;
  /** What the directory says in place of the truth. */
  readonly stated?: {
    readonly bytes?: number;
    readonly inflated?: number;
    readonly header?: number;
    readonly crc32?: number;
  };
}

/** A zip archive with a directory that says what it is told to. */
export function zip(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, method = 0, flags = 0, stated = {} } of members) {
    const local = Buffer.alloc(30 + name.length);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc32(bytes), 14);
    local.writeUInt32LE(bytes.length, 18);
    local.writeUInt32LE(bytes.length, 22);
    local.writeUInt16LE(name.length, 26);
    local.write(name, 30, 'latin1');
    const entry = Buffer.alloc(46 + name.length);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 6);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(stated.crc32 ?? crc32(bytes), 16);
    entry.writeUInt32LE(stated.bytes ?? bytes.length, 20);
    entry.writeUInt32LE(stated.inflated ?? stated.bytes ?? bytes.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(stated.header ?? at, 42);
    entry.write(name, 46, 'latin1');
    parts.push(local, bytes);
    directory.push(entry);
    at += local.length + bytes.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(65535, members.length), 8);
  end.writeUInt16LE(Math.min(65535, members.length), 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}

/** A file that is deflated in an archive. @param inflated what the directory says of its size */
export const deflated = (
  { name, bytes }: Member,
  { inflated = bytes.length, crc = crc32(bytes) } = {},
): Member => ({
  ...{ name, bytes: deflateRawSync(bytes), method: 8 },
  stated: { inflated, crc32: crc },
});

/** An archive of torch.save with a pickle, and storages by key. */
export const archive = (
  pickle: Buffer,
  storages: Readonly<Record<string, Buffer>> = { 0: Buffer.alloc(24) },
  more: readonly Member[] = [],
): Buffer =>
  zip([
    { name: 'a/data.pkl', bytes: pickle },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `a/data/${key}`, bytes })),
    ...more,
  ]);

/**
 * Writes an archive with storages of many bytes, all zero, of which the disk holds none: with the fields of
 * zip64, as torch does from 4 GB on.
 * @param storages bytes by key
 * @param pickleBytes what the pickle takes, zeros behind it
 */
export async function sparseArchive(
  path: string,
  pickle: Buffer,
  storages: Readonly<Record<string, number>>,
  pickleBytes = pickle.length,
): Promise<void> {
  const members = [
    { name: 'a/data.pkl', bytes: pickleBytes },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `a/data/${key}`, bytes })),
  ];
  const file = await open(path, 'w');
  try {
    const directory: Buffer[] = [];
    let at = 0;
    for (const { name, bytes } of members) {
      const extra = Buffer.alloc(28);
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(bytes), 4);
      extra.writeBigUInt64LE(BigInt(bytes), 12);
      extra.writeBigUInt64LE(BigInt(at), 20);
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      local.writeUInt16LE(45, 4);
      local.fill(0xff, 18, 26);
      local.writeUInt16LE(name.length, 26);
      local.writeUInt16LE(extra.length, 28);
      const entry = Buffer.alloc(46);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt16LE(45, 6);
      entry.fill(0xff, 20, 28);
      entry.writeUInt16LE(name.length, 28);
      entry.writeUInt16LE(extra.length, 30);
      entry.fill(0xff, 42, 46);
      directory.push(Buffer.concat([entry, Buffer.from(name), extra]));
      const head = Buffer.concat([local, Buffer.from(name), extra]);
      await file.write(head, 0, head.length, at);
      if (at === 0) await file.write(pickle, 0, pickle.length, head.length);
      at += head.length + bytes;
    }
    const listed = Buffer.concat(directory);
    const end = Buffer.alloc(56 + 20 + 22);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE(45, 14);
    end.writeBigUInt64LE(BigInt(members.length), 24);
    end.writeBigUInt64LE(BigInt(members.length), 32);
    end.writeBigUInt64LE(BigInt(listed.length), 40);
    end.writeBigUInt64LE(BigInt(at), 48);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(BigInt(at + listed.length), 64);
    end.writeUInt32LE(1, 72);
    end.writeUInt32LE(0x06054b50, 76);
    end.fill(0xff, 84, 96);
    await file.write(Buffer.concat([listed, end]), 0, listed.length + end.length, at);
  } finally {
    await file.close();
  }
}

/** Opcodes, one character a byte. */
const code = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'latin1');

const length = (bytes: number, value: number): string => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer.toString('latin1');
};

export const text = (value: string): string =>
  `X${length(4, Buffer.byteLength(value))}${Buffer.from(value).toString('latin1')}`;

export const whole = (value: number | bigint): string => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt(value));
  return `\x8a\x08${buffer.toString('latin1')}`;
};

export const named = (module: string, name: string): string => `c${module}\n${name}\n`;

export const tuple = (...items: readonly string[]): string => `(${items.join('')}t`;

/** A call of what the name stands for. */
export const called = (module: string, name: string, ...args: readonly string[]): string =>
  `${named(module, name)}${tuple(...args)}R`;

/** A persistent id of a storage. */
export const storage = (
  key: string,
  count: number,
  kind = named('torch', 'FloatStorage'),
): string => `${tuple(text('storage'), kind, text(key), text('cpu'), whole(count))}Q`;

const orderedDict = called('collections', 'OrderedDict');

/** A tensor that torch._utils._rebuild_tensor_v2 makes. */
export const tensor = (
  of: string,
  shape: readonly number[],
  strides: readonly number[] = [1],
  offset = 0,
): string =>
  called(
    'torch._utils',
    '_rebuild_tensor_v2',
    of,
    whole(offset),
    tuple(...shape.map(whole)),
    tuple(...strides.map(whole)),
    '\x89',
    orderedDict,
  );

export const dict = (entries: Readonly<Record<string, string>>): string =>
  `}(${Object.entries(entries)
    .map(([key, value]) => text(key) + value)
    .join('')}u`;

/** A pickle of protocol 2. */
export const pickle = (value: string): Buffer => code('\x80\x02', value, '.');

/** The same as a file of the form before torch 1.6, with storages of float32 behind it. */
export function oldFile(
  value: string,
  storages: readonly (readonly [key: string, values: readonly number[]])[],
): Buffer {
  const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const keys = `](${storages.map(([key]) => text(key)).join('')}e`;
  const data = storages.flatMap(([, values]) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(values.length));
    return [count, Buffer.from(Float32Array.from(values).buffer)];
  });
  return Buffer.concat([
    magic,
    pickle(whole(1001)),
    pickle(dict({ little_endian: '\x88' })),
    pickle(value),
    pickle(keys),
    ...data,
  ]);
}
