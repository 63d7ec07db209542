import { UsageError } from '../errors';

/** Turns the text of an option into its value, or throws UsageError. */
export type Parse<T> = (text: string) => T;

/** A whole number of at least `least`. */
export const wholeNumber =
  (option: string, least: number): Parse<number> =>
  text => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new UsageError(
      `${option} is ${JSON.stringify(text)}, not a whole number of at least ${least}.`,
      `Give ${option} a whole number, ${least} or more.`,
    );
  };

/** A finite number: at least 0, or above it. */
export const finiteNumber =
  (option: string, { positive }: { readonly positive: boolean }): Parse<number> =>
  text => {
    const value = Number(text);
    const allowed = positive ? value > 0 : value >= 0;
    if (text.trim() !== '' && Number.isFinite(value) && allowed) return value;
    throw new UsageError(
      `${option} is ${JSON.stringify(text)}, not a number ${positive ? 'above' : 'of at least'} 0.`,
      `Give ${option} a number such as ${positive ? '0.001' : '0.01'}.`,
    );
  };

/** A share above 0 and below 1. */
export const shareBelowOne =
  (option: string): Parse<number> =>
  text => {
    const value = Number(text);
    if (value > 0 && value < 1) return value;
    throw new UsageError(
      `${option} is ${JSON.stringify(text)}, not a share above 0 and below 1.`,
      `Give ${option} a share such as 0.15.`,
    );
  };

/** One of a few words. */
export const oneOf =
  <T extends string>(option: string, words: readonly T[]): Parse<T> =>
  text => {
    const word = words.find(candidate => candidate === text);
    if (word !== undefined) return word;
    throw new UsageError(
      `${option} is ${JSON.stringify(text)}.`,
      `Give ${option} one of: ${words.join(', ')}.`,
    );
  };

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** A size in bytes with an optional unit, decimal as in transformers: 500MB, 5GB, 1GiB. */
export const byteSize =
  (option: string): Parse<number> =>
  text => {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
    const bytes = Math.floor(Number(digits) * (byteUnits[unit.toUpperCase()] ?? NaN));
    if (Number.isSafeInteger(bytes) && bytes >= 1) return bytes;
    throw new UsageError(
      `${option} is ${JSON.stringify(text)}, not a size in bytes.`,
      `Give ${option} a size such as 500MB or 5GB.`,
    );
  };
