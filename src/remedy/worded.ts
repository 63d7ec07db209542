import { inWords, type Remedy, type Words } from './remedy';

/** A value whose remedies are not in the words of any face yet. */
export type Unworded<T> = T extends ArrayBufferView
  ? T
  : T extends object
    ? { [K in keyof T]: K extends 'remedy' ? Remedy : Unworded<T[K]> }
    : T;

/** A value with every remedy in it in the words of a face. */
export const worded = <T>(told: Unworded<T>, words: Words): T => wordedPart(told, words) as T;

function wordedPart(told: unknown, words: Words): unknown {
  if (typeof told !== 'object' || told === null || ArrayBuffer.isView(told)) return told;
  if (Array.isArray(told)) return told.map(part => wordedPart(part, words));
  return Object.fromEntries(
    Object.entries(told).map(([name, value]: [string, unknown]) => [
      name,
      name === 'remedy' && value !== undefined
        ? inWords(value as Remedy, words)
        : wordedPart(value, words),
    ]),
  );
}
