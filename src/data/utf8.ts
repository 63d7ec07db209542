import { isUtf8 } from 'node:buffer';

/** How many bytes a character takes, by its first; 0 where none begins so. */
function characterBytes(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/** The bytes that may follow a first one: overlong forms, surrogates and what lies beyond are none. */
function secondRange(first: number): readonly [number, number] {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  return first === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
}

/** Where bytes stop being UTF-8, and whether only their end is missing. */
export interface BadByte {
  readonly at: number;
  /** The character is right as far as it goes, and the bytes end in its midst. */
  readonly cut: boolean;
}

/** The first byte of what is no UTF-8 character; undefined where all are. */
export function firstBadByte(bytes: Buffer): BadByte | undefined {
  if (isUtf8(bytes)) return undefined;
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!;
    const length = characterBytes(first);
    if (length === 0) return { at, cut: false };
    for (let index = 1; index < length; index++) {
      const byte = bytes[at + index];
      if (byte === undefined) return { at, cut: true };
      const [low, high] = index === 1 ? secondRange(first) : [0x80, 0xbf];
      if (byte < low || byte > high) return { at, cut: false };
    }
    at += length;
  }
  return undefined;
}
