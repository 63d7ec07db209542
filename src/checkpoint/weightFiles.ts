import { liesBeside } from '../protocol/weightNames';
import { foreignByNames } from './formats/foreign';

/** Ends of the names of files that are looked for where none of the usual ones is there. */
const kinds: readonly (readonly string[])[] = [
  ['.safetensors.index.json'],
  ['.safetensors'],
  ['.bin.index.json'],
  ['.bin', '.pt', '.pth', '.ckpt', '.pt.tar', '.pth.tar'],
  ['.gguf'],
  ['.msgpack'],
  ['.h5', '.hdf5'],
  ['model.json'],
  ['.npz', '.npy'],
  ['.onnx'],
];

/** Ends of the names of files whose shards may be a series. */
export const shardEnds: readonly string[] = ['.safetensors', '.bin'];

/** The files in a folder that may be what is meant, of the first kind of which there is one. */
export function candidatesAmong(names: readonly string[]): readonly string[] {
  const possible = names.filter(name => !liesBeside(name) && !foreignByNames([name]));
  for (const ends of kinds) {
    const found = possible.filter(name => ends.some(end => name.endsWith(end)));
    if (found.length > 0) return found;
  }
  return [];
}
