import type { Failures } from '../failures';
import { plain, wholeNumber, type PickleBytes } from './bytes';
import { Opaque, type PyValue } from './values';

/** Bytes of a whole number at most; sums of hashes have some hundred. */
const MAX_NUMBER = 1024;

/** Reads what follows the opcode of a value that stands in the pickle itself. */
type ReadLiteral = (source: PickleBytes, fail: Failures) => PyValue;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of Python 3. Half characters, which its pickles can hold, become replacements. */
function text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** A string of Python 2: text where it is UTF-8, as torch.load takes it, else bytes. */
function oldString(bytes: Uint8Array): PyValue {
  try {
    return utf8.decode(bytes);
  } catch {
    return inert;
  }
}

/** Bytes, which nobody reads. */
const inert = new Opaque('builtins.bytes');

function bytes(source: PickleBytes, length: number): Opaque {
  source.take(length);
  return inert;
}

function decimal(line: string, fail: Failures): number | bigint {
  const digits = line.replace(/L$/, '');
  if (!/^[+-]?\d+$/.test(digits)) return fail.corrupt('its pickle has a number that is none');
  return plain(BigInt(digits));
}

function float(line: string, fail: Failures): number {
  const value = Number(line.replace(/^([+-]?)inf$/i, '$1Infinity'));
  if (Number.isNaN(value) && !/^[+-]?nan$/i.test(line)) {
    return fail.corrupt('its pickle has a number that is none');
  }
  return value;
}

function long(source: PickleBytes, length: number, fail: Failures): number | bigint {
  if (length > MAX_NUMBER) fail.corrupt(`its pickle has a number of ${length} bytes`);
  return wholeNumber(source.take(length));
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** A string literal of Python 2, with its quotes. */
function literal(line: string, fail: Failures): string {
  const [, , body] = /^(['"])(.*)\1$/.exec(line) ?? [];
  if (body === undefined) return fail.corrupt('its pickle has a string without quotes');
  return body.replace(/\\(?:x([\da-f]{2})|(.))/gi, (_, hex: string | undefined, one: string) =>
    hex === undefined ? (escapes.get(one) ?? one) : String.fromCharCode(parseInt(hex, 16)),
  );
}

/** Text with \uXXXX for what is not Latin-1. */
const rawUnicode = (line: string): string =>
  line.replace(/\\u([\da-f]{4})|\\U([\da-f]{8})/gi, (whole, four?: string, eight?: string) => {
    const code = parseInt((four ?? eight)!, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

const byCharacter: Readonly<Record<string, ReadLiteral>> = {
  N: () => null,
  '\x88': () => true,
  '\x89': () => false,
  I: (source, fail) => {
    const line = source.line();
    return line === '00' || line === '01' ? line === '01' : decimal(line, fail);
  },
  J: source => source.int32(),
  K: source => source.uint8(),
  M: source => source.uint16(),
  L: (source, fail) => decimal(source.line(), fail),
  '\x8a': (source, fail) => long(source, source.uint8(), fail),
  '\x8b': (source, fail) => long(source, source.uint32(), fail),
  F: (source, fail) => float(source.line(), fail),
  G: source => source.float64(),
  S: (source, fail) => literal(source.line(), fail),
  T: source => oldString(source.take(source.uint32())),
  U: source => oldString(source.take(source.uint8())),
  V: source => rawUnicode(source.line()),
  X: source => text(source.take(source.uint32())),
  '\x8c': source => text(source.take(source.uint8())),
  '\x8d': source => text(source.take(source.uint64())),
  B: source => bytes(source, source.uint32()),
  C: source => bytes(source, source.uint8()),
  '\x8e': source => bytes(source, source.uint64()),
  '\x96': source => bytes(source, source.uint64()),
};

/** By opcode. */
export const literals: ReadonlyMap<number, ReadLiteral> = new Map(
  Object.entries(byCharacter).map(([character, read]) => [character.charCodeAt(0), read]),
);
