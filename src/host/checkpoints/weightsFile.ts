import { basename, join } from 'node:path';
import { foreignMarks, usualFiles, weightKinds } from '../../protocol/weightNames';
import { exists } from '../runs/runFolder';

/** The weights of a model's folder, or the index of its shards; undefined where there are none. */
export async function weightsIn(folder: string): Promise<string | undefined> {
  for (const name of usualFiles) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  return undefined;
}

const ends = weightKinds.flat();

/** Extensions of files that may be checkpoints, as dialogs filter by. */
export const weightEnds: readonly string[] = [...new Set(ends.map(end => end.split('.').at(-1)!))];

/** Which files of a workspace are looked at; what they hold decides. */
export const weightPattern = `**/{${[...ends.map(end => (end.startsWith('.') ? `*${end}` : end)), ...foreignMarks].join(',')}}`;

/**
 * Editors for tensor files, which no other can show; for the index of shards, which is JSON first; and for
 * files that others may know better.
 */
export const inspectors = ['ligo.inspector', 'ligo.indexInspector', 'ligo.otherInspector'] as const;

/** The editor that a checkpoint is looked at with. */
export function inspectorOf(path: string): (typeof inspectors)[number] {
  if (path.endsWith('.safetensors')) return 'ligo.inspector';
  return path.endsWith('.index.json') ? 'ligo.indexInspector' : 'ligo.otherInspector';
}

/** Names that many models share: what lies there is called by its folder. */
const usualName =
  /^(?:(?:model|pytorch_model|diffusion_pytorch_model|tf_model|flax_model)(?:-\d{5}-of-\d{5})?\.(?:safetensors|bin|h5|msgpack|npz)(?:\.index\.json)?|model\.json)$/;

/** Whether a file is called as many are. */
export const hasUsualName = (path: string): boolean =>
  usualName.test(basename(path)) || foreignMarks.includes(basename(path));
