import type { Failures } from '../failures';

/** Bytes of a line of text at most: numbers and the names of globals. */
const MAX_LINE = 1024;

/** Thrown where a pickle goes on behind the bytes that are there. */
export class OutOfBytes extends Error {}

/** Reads the parts of a pickle one after the other. */
export class PickleBytes {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    /** Index of the next byte. */
    public at: number,
    private readonly fail: Failures,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Steps over bytes and tells where they began. @throws OutOfBytes */
  private step(length: number): number {
    const begin = this.at;
    if (length > this.bytes.byteLength - begin) throw new OutOfBytes();
    this.at = begin + length;
    return begin;
  }

  uint8(): number {
    return this.view.getUint8(this.step(1));
  }

  uint16(): number {
    return this.view.getUint16(this.step(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.step(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.step(4), true);
  }

  /** A length of eight bytes; more than a file can have is as good as its neighbours. */
  uint64(): number {
    return Number(this.view.getBigUint64(this.step(8), true));
  }

  float64(): number {
    return this.view.getFloat64(this.step(8));
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const begin = this.step(length);
    return this.bytes.subarray(begin, begin + length);
  }

  /** Up to a line feed, which is stepped over; one character a byte. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const length = (end < 0 ? this.bytes.byteLength : end) - this.at;
    if (length > MAX_LINE) {
      return this.fail.corrupt(`its pickle has a name or number of over ${MAX_LINE} characters`);
    }
    if (end < 0) throw new OutOfBytes();
    const line = this.take(length);
    this.step(1);
    return Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1');
  }
}

/** A whole number of two's complement, little endian. */
export function wholeNumber(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.byteLength - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return plain(bytes.byteLength === 0 ? 0n : BigInt.asIntN(8 * bytes.byteLength, value));
}

/** A number where that is exact. */
export const plain = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
