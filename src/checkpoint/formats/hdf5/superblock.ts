import { wordAt, type FileBytes } from './bytes';

/** Where the root of a file lies, as its first bytes say. @throws Error that ends "it cannot be used: …" */
export async function rootAddress(file: FileBytes): Promise<number> {
  const version = (await file.at(8, 1)).getUint8(0);
  if (version > 3) throw new Error(`it is of version ${version} of HDF5's files; up to 3 are read`);
  const isNewer = version >= 2;
  const block = await file.at(0, isNewer ? 48 : 96);
  const sizes = isNewer ? 9 : 13;
  if (block.getUint8(sizes) !== 8 || block.getUint8(sizes + 1) !== 8) {
    throw new Error('its addresses do not have 8 bytes');
  }
  const base = isNewer ? 12 : version === 0 ? 24 : 28;
  if (wordAt(block, base) !== 0) throw new Error('its addresses do not count from its beginning');
  return wordAt(block, isNewer ? 36 : base + 40);
}
