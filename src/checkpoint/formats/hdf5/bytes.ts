import type { ReadBytes } from '../../layouts/layout';

/** Bytes read at once for the many small reads of a tree, and pieces of that size that are kept. */
const BLOCK = 1 << 14;
const KEPT_BLOCKS = 256;
/** Reads of a file's structure at most: a model of 10,000 tensors takes some 200,000, few from the disk. */
const MAX_READS = 500_000;
const MAX_DISK_READS = 40_000;

/** Reads of small pieces anywhere in a file, each checked to lie in it and counted. */
export class FileBytes {
  private reads = 0;
  private diskReads = 0;
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
    const found = Buffer.from(view.buffer, view.byteOffset, signature.length).toString('latin1');
    if (found !== signature) throw new Error(`there is no ${signature} where one should be`);
    return view;
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

/** An address or a length; one too large to be exact lies in no file. */
export const wordAt = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at, true);
