import type { ReadBytes } from '../../layouts/layout';
import { quoted } from '../../names';
import { ReadAhead } from '../readAhead';

/** More bytes than a field's number, its size and a text of it take. */
const MOST_OF_FIELD = 4096;
/** Longest text that is read, in bytes. */
const MAX_TEXT = 2048;
/** Fields that are looked at, at most. */
const MAX_FIELDS = 2_000_000;

/** How the value of a field is written. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A field of a protobuf message: its number, and where what it holds lies. */
export interface Field {
  readonly number: number;
  readonly isBytes: boolean;
  /** Of a varint, exact up to 2⁵³. */
  readonly value: number;
  /** Where its bytes begin and end. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Walks the fields of a protobuf message by their sizes. Libraries for it want all of a message in memory;
 * this passes over what nobody asks for.
 */
export class WireReader extends ReadAhead {
  private fields = 0;

  constructor(readBytes: ReadBytes, size: number) {
    super(readBytes, size, MOST_OF_FIELD);
  }

  /** The next field of a message that ends there, if it is not short; goes on behind it. @throws Error */
  field(messageEnd: number): Field {
    if (++this.fields > MAX_FIELDS) throw new Error(`it has more than ${MAX_FIELDS} fields`);
    const tag = this.varint();
    const number = Math.floor(tag / 8);
    const kind = tag % 8;
    if (number === 0) throw new Error('a field in it has no number');
    let value = 0;
    let begin = this.at;
    if (kind === VARINT) {
      value = this.varint();
    } else {
      const sizes: Readonly<Record<number, number>> = { [FIXED64]: 8, [FIXED32]: 4 };
      const bytes = kind === BYTES ? this.varint() : sizes[kind];
      if (bytes === undefined) throw new Error(`a field in it is written in an unknown way`);
      begin = this.at;
      this.at += bytes;
    }
    if (this.at > messageEnd) throw new Error('it is truncated');
    return { number, isBytes: kind === BYTES, value, begin, end: this.at };
  }

  /** The text of a field, which must have been read ahead from there on. @throws Error */
  text({ begin, end }: Field): string {
    if (end - begin > MAX_TEXT) throw new Error(`a text in it is longer than ${MAX_TEXT} bytes`);
    const bytes = this.block.subarray(begin - this.blockBegin, end - this.blockBegin);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      const shown = quoted(Buffer.from(bytes).toString('latin1'));
      throw new Error(`the text ${shown} in it is not UTF-8`, { cause });
    }
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = this.block[this.at - this.blockBegin];
      if (byte === undefined) throw new Error('it is truncated');
      this.at++;
      value += (byte & 127) * 2 ** (7 * shift);
      if (byte < 128) return value;
    }
    throw new Error('a number in it goes on for ever');
  }
}
