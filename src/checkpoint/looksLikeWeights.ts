import { basename, dirname } from 'node:path';

import { UnsupportedError } from '../errors';
import { openRegular } from '../files';
import { hasOwnName } from '../protocol/weightNames';
import { foreignByNames, whyNotGrown } from './formats/foreign';
import { HEAD_BYTES, isOfFormat } from './formats/recognise';
import { readFully } from './openFiles';
import { MAX_INDEX_BYTES } from './shardIndex';

/**
 * Whether a file that was found, and that nobody named, is worth a look: its name is one of weights, or
 * what it holds is. Many kinds of file end in .bin, .pt or .json.
 * @throws UserError when it cannot be read
 */
export async function looksLikeWeights(path: string): Promise<boolean> {
  if (hasOwnName(path)) return true;
  const { handle, identity } = await openRegular(path);
  try {
    const read = async (bytes: number): Promise<Uint8Array> => {
      const target = new Uint8Array(Math.min(identity.size, bytes));
      await readFully(handle, target, 0, path);
      return target;
    };
    if (!path.endsWith('.json')) return isOfFormat(await read(HEAD_BYTES), identity.size);
    if (identity.size > MAX_INDEX_BYTES) return false;
    const text = Buffer.from(await read(MAX_INDEX_BYTES));
    return text.includes('"weightsManifest"') || text.includes('"weight_map"');
  } finally {
    await handle.close();
  }
}

/** What a file is a part of, by its name and its folder's, where that is known and not read. */
export function foreignAt(path: string): UnsupportedError | undefined {
  const folder = dirname(path);
  // A folder's own name says more than what lies in it.
  const found = foreignByNames([basename(folder)]) ?? foreignByNames([basename(path)]);
  if (!found) return undefined;
  const { kind, name } = found;
  return new UnsupportedError(
    `${folder} holds ${kind.is} (${name})${whyNotGrown(kind)}.`,
    kind.remedy,
  );
}
