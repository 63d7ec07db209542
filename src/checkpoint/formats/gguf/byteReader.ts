import { CorruptFileError } from '../../../errors';
import type { ReadBytes } from '../../layouts/layout';

/** Bytes of the first stretch that is read beyond a file's beginning; each further one is twice as long. */
const FIRST_BYTES = 1 << 16;
/** Bytes of the longest stretch. */
const MOST_BYTES = 1 << 22;

/** Where a reader may go. */
export interface ReaderBounds {
  /** What messages call the file. */
  readonly file: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Byte at which what is read must have ended, whatever the file's size. */
  readonly limit: number;
}

/**
 * Goes through a file from its beginning, in stretches that grow: little is read of a short header,
 * and a long one takes few calls. Only the present stretch is in memory.
 */
export class ByteReader {
  private view: DataView;
  private bytes: Uint8Array;
  /** Place of the stretch in the file. */
  private begin = 0;
  /** Place of the next byte in the stretch. */
  private at = 0;
  private stretch = FIRST_BYTES;

  constructor(
    head: Uint8Array,
    private readonly read: ReadBytes,
    private readonly bounds: ReaderBounds,
  ) {
    this.bytes = head;
    this.view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  }

  /** Place of the next byte in the file. */
  get position(): number {
    return this.begin + this.at;
  }

  /** Bytes that can still follow. */
  get left(): number {
    return Math.min(this.bounds.size, this.bounds.limit) - this.position;
  }

  /** Whether so many bytes can be taken without reading. */
  has(count: number): boolean {
    return this.at + count <= this.bytes.byteLength;
  }

  /**
   * Makes sure that so many bytes can be taken.
   * @throws CorruptFileError when the file ends before, or its header is longer than any
   */
  async need(count: number): Promise<void> {
    if (this.has(count)) return;
    this.requireLeft(count);
    const begin = this.position;
    const end = Math.min(this.bounds.size, begin + Math.max(count, this.stretch));
    this.stretch = Math.min(2 * this.stretch, MOST_BYTES);
    this.bytes = await this.read(begin, end);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.begin = begin;
    this.at = 0;
  }

  /** Goes on behind so many bytes, which need not be read. @throws CorruptFileError as of `need` */
  skip(count: number): void {
    this.requireLeft(count);
    this.at += count;
    if (this.at <= this.bytes.byteLength) return;
    this.begin += this.at;
    this.at = 0;
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Bytes that `need` made sure of; valid until the next call of it. */
  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** The numbers of one kind: so many bytes of the view, which `need` made sure of. */
  number<T>(size: number, get: (view: DataView, at: number) => T): T {
    this.at += size;
    return get(this.view, this.at - size);
  }

  private requireLeft(count: number): void {
    const { file, size, limit } = this.bounds;
    if (count <= this.left) return;
    if (this.position + count <= size) {
      throw new CorruptFileError(
        `${file}: its header takes more than ${limit} bytes, more than any model's.`,
        'Download the file again, or convert the model anew.',
      );
    }
    throw new CorruptFileError(
      `${file} is truncated: its header goes on behind its ${size} bytes.`,
      'Copy or download the file again; the transfer may have stopped early.',
    );
  }
}
