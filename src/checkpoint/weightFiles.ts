import { liesBeside, weightKinds } from '../protocol/weightNames';
import { foreignByNames } from './formats/foreign';

/** Ends of the names of files whose shards may be a series. */
export const shardEnds: readonly string[] = ['.safetensors', '.bin'];

/** The same with those whose parts find each other themselves. */
export const partEnds: readonly string[] = [...shardEnds, '.gguf'];

/** The files in a folder that may be what is meant, of the first kind of which there is one. */
export function candidatesAmong(names: readonly string[]): readonly string[] {
  const possible = names.filter(name => !liesBeside(name) && !foreignByNames([name]));
  for (const ends of weightKinds) {
    // What old trainers call .pth.tar is no archive.
    const found = possible.filter(name =>
      ends.some(end => name.replace(/\.tar$/, '').endsWith(end)),
    );
    if (found.length > 0) return found;
  }
  return [];
}
