import type { ReadBytes } from '../../layouts/layout';

/** Bytes read at once for the many small reads of a tree, and pieces of that size that are kept. */
const BLOCK = 1 << 14;
const KEPT_BLOCKS = 256;
/** Reads of a file's structure at most: a model of 10,000 tensors takes some 200,000, few from the disk. */
const MAX_READS = 500_000;
const MAX_DISK_READS = 40_000;
/** Chunks in one file at most; those of 64 kB make up 64 GB. */
const MAX_CHUNKS = 1_000_000;

/** Reads of small pieces anywhere in a file, each checked to lie in it and counted. */
export class FileBytes {
  private reads = 0;
  private diskReads = 0;
  private chunks = 0;
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(
    private readonly readBytes: ReadBytes,
    readonly size: number,
  ) {}

  /** @throws Error that ends "it cannot be used: …" */
  async at(begin: number, length: number): Promise<DataView> {
    if (++this.reads > MAX_READS) throw new Error('its structure goes on for ever');
    if (!(begin >= 0 && begin + length <= this.size)) throw new Error('it is truncated');
    const blockBegin = begin - (begin % BLOCK);
    const fits = begin + length <= blockBegin + BLOCK;
    const [from, bytes] = fits
      ? [blockBegin, this.blocks.get(blockBegin) ?? (await this.block(blockBegin))]
      : [begin, await this.fromDisk(begin, begin + length)];
    return new DataView(bytes.buffer, bytes.byteOffset + begin - from, length);
  }

  private async block(begin: number): Promise<Uint8Array> {
    const bytes = await this.fromDisk(begin, Math.min(this.size, begin + BLOCK));
    const [oldest] = this.blocks.keys();
    if (this.blocks.size >= KEPT_BLOCKS) this.blocks.delete(oldest!);
    this.blocks.set(begin, bytes);
    return bytes;
  }

  private fromDisk(begin: number, end: number): Promise<Uint8Array> {
    if (++this.diskReads > MAX_DISK_READS) throw new Error('its structure goes on for ever');
    return this.readBytes(begin, end);
  }

  /** What lies at an address must begin with its signature. */
  async signed(begin: number, signature: string, length: number): Promise<DataView> {
    const view = await this.at(begin, length);
    if (textIn(view, 0, signature.length) !== signature) {
      throw new Error(`there is no ${signature} where one should be`);
    }
    return view;
  }

  /** Counts chunks of data, of which a file may have so many. */
  countChunks(count: number): void {
    this.chunks += count;
    if (!(this.chunks <= MAX_CHUNKS)) throw new Error(`it holds more than ${MAX_CHUNKS} chunks`);
  }

  /** Text up to the first NUL. */
  async text(begin: number): Promise<string> {
    const length = Math.max(0, Math.min(MAX_TEXT, this.size - begin));
    const view = await this.at(begin, length);
    const bytes = Buffer.from(view.buffer, view.byteOffset, length);
    const end = bytes.indexOf(0);
    if (end < 0) throw new Error('a name in it has no end');
    return bytes.toString('utf8', 0, end);
  }
}

/** Longest name that is read, in bytes. */
const MAX_TEXT = 1024;

/** Bytes as text of one byte a character. */
export const textIn = (view: DataView, begin: number, length: number): string =>
  Buffer.from(view.buffer, view.byteOffset + begin, length).toString('latin1');

/** An address or a length; one too large to be exact lies in no file. */
export const wordAt = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);

/** A number of so many bytes. */
function numberAt(view: DataView, at: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + view.getUint8(at + i);
  return value;
}

/** Bytes that HDF5 takes for numbers up to a limit. */
export const bytesFor = (limit: number): number => Math.floor(Math.log2(limit) / 8) + 1;

/** Whether an address leads to nothing that was written. */
export const isNowhere = (address: number): boolean => address >= 2 ** 63;

/** A part of a structure of known length, taken from its beginning on. */
export class Cursor {
  constructor(
    private readonly view: DataView,
    public at = 0,
  ) {}

  get left(): number {
    return this.view.byteLength - this.at;
  }

  /** The next number, of so many bytes. @throws Error that ends "it cannot be used: …" */
  number(bytes: number): number {
    const begin = this.skip(bytes);
    return bytes === 8 ? wordAt(this.view, begin) : numberAt(this.view, begin, bytes);
  }

  /** Where what was passed over began. */
  skip(bytes: number): number {
    if (this.left < bytes) throw new Error('an object in it is cut off');
    const begin = this.at;
    this.at += bytes;
    return begin;
  }

  /** The next bytes, as a part of their own. */
  part(bytes: number): DataView {
    const begin = this.skip(bytes);
    return new DataView(this.view.buffer, this.view.byteOffset + begin, bytes);
  }
}
