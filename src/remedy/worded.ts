import { inWords, type Remedy, type Words } from './remedy';

/** A value whose remedies are not in the words of any face yet. */
export type Unworded<T> = T extends ArrayBufferView
  ? T
  : T extends object
    ? { [K in keyof T]: K extends 'remedy' ? Remedy : Unworded<T[K]> }
    : T;

/** A value with every remedy in it in the words of a face. */
export const worded = <T>(told: Unworded<T>, words: Words): T => wordedPart(told, words) as T;

/** What has no remedy in it stays as it is, uncopied: an answer may list a hundred thousand tensors. */
function wordedPart(told: unknown, words: Words): unknown {
  if (typeof told !== 'object' || told === null || ArrayBuffer.isView(told)) return told;
  if (Array.isArray(told)) {
    const parts: readonly unknown[] = told;
    const said = parts.map(part => wordedPart(part, words));
    return said.some((part, index) => part !== parts[index]) ? said : parts;
  }
  const changed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(told) as [string, unknown][]) {
    const said =
      name === 'remedy' && value !== undefined
        ? inWords(value as Remedy, words)
        : wordedPart(value, words);
    if (said !== value) changed[name] = said;
  }
  return Object.keys(changed).length > 0 ? { ...told, ...changed } : told;
}
