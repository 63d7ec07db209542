import type { ReadBytes } from '../layouts/layout';

/** Bytes read at a time. */
const BLOCK = 1 << 16;

/** A place in a file that moves over what was read ahead from there, so that only reading on waits. */
export class ReadAhead {
  at = 0;
  protected block: Uint8Array = new Uint8Array(0);
  protected blockBegin = 0;

  /** @param most bytes that are taken between two looks at `isShort`, or more */
  constructor(
    private readonly readBytes: ReadBytes,
    protected readonly size: number,
    private readonly most: number,
  ) {}

  /** Whether what comes next may not have been read ahead. */
  get isShort(): boolean {
    const end = this.blockBegin + this.block.length;
    const isOutside = this.at < this.blockBegin || this.at + this.most > end;
    return isOutside && (this.at < this.blockBegin || end < this.size);
  }

  async readOn(): Promise<void> {
    this.blockBegin = Math.min(this.at, this.size);
    this.block = await this.readBytes(
      this.blockBegin,
      Math.min(this.size, this.blockBegin + BLOCK),
    );
  }
}
