import { MAX_TENSORS } from '../../tensor';
import { Cursor, isNowhere, wordAt, type FileBytes } from './bytes';
import { openHeap } from './heap';
import { readLink, type Hdf5Object, type Link } from './messages';
import { readRecords } from './newTree';
import { readObject } from './object';
import { rootAddress } from './superblock';

/** What a file holds: data sets by their paths, and links that were not followed. */
export interface Hdf5Tree {
  readonly dataSets: ReadonlyMap<string, Hdf5Object>;
  readonly links: readonly string[];
}

const MAX_DEPTH = 64;
/** Entries of a node of a group's tree; HDF5 makes no larger ones than it is told to, 32 as a rule. */
const MAX_ENTRIES = 4_096;

/**
 * Lists the data sets of a file. A group is visited once, however many ways lead to it, and no link is
 * followed that could lead elsewhere. @throws Error that ends "it cannot be used: …"
 */
export async function readTree(file: FileBytes): Promise<Hdf5Tree> {
  const dataSets = new Map<string, Hdf5Object>();
  const links: string[] = [];
  const visited = new Set<number>();
  const visit = async (address: number, path: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw new Error(`it nests more than ${MAX_DEPTH} levels deep`);
    const object = await readObject(file, address);
    if (object.isGroup !== true) {
      if (object.shape === undefined || object.elements === undefined) return;
      if (dataSets.has(path)) throw new Error('it holds two data sets of one name');
      dataSets.set(path, object);
      if (dataSets.size > MAX_TENSORS) throw new Error(`it holds more than ${MAX_TENSORS} tensors`);
      return;
    }
    if (visited.has(address)) {
      links.push(path);
      return;
    }
    visited.add(address);
    for (const { name, address: below } of await linksOf(file, object)) {
      const at = path === '' ? name : `${path}/${name}`;
      if (below === undefined) links.push(at);
      else await visit(below, at, depth + 1);
    }
  };
  await visit(await rootAddress(file), '', 0);
  return { dataSets, links };
}

/** Entries of one group of the newer form, as many as tensors there may be. */
async function linksOf(
  file: FileBytes,
  { group, links = [], dense }: Hdf5Object,
): Promise<readonly Link[]> {
  if (group) return entriesOf(file, group);
  if (!dense) return links;
  const inHeap = await openHeap(file, dense.heap);
  const found = [...links];
  for (const { kind, body } of isNowhere(dense.tree)
    ? []
    : await readRecords(file, dense.tree, MAX_TENSORS)) {
    if (kind !== 'namesOfLinks') throw new Error('the tree of a group in it is none');
    const id = new DataView(
      body.buffer,
      body.byteOffset + HASH_BYTES,
      body.byteLength - HASH_BYTES,
    );
    found.push(readLink(new Cursor(await inHeap(id))));
  }
  return found;
}

/** Bytes of the hash of a name, before where its link lies. */
const HASH_BYTES = 4;

async function entriesOf(
  file: FileBytes,
  { tree, names }: { readonly tree: number; readonly names: number },
): Promise<readonly Link[]> {
  const heap = await file.signed(names, 'HEAP', 32);
  const namesBegin = wordAt(heap, 24);
  const entries: Link[] = [];
  const visited = new Set<number>();
  const node = async (address: number): Promise<void> => {
    if (visited.has(address)) throw new Error('its structure leads back to itself');
    visited.add(address);
    const head = await file.signed(address, 'TREE', 24);
    const [level, used] = [head.getUint8(5), head.getUint16(6, true)];
    if (head.getUint8(4) !== 0 || used > MAX_ENTRIES || visited.size > MAX_TENSORS) {
      throw new Error('the tree of a group in it is none');
    }
    const body = await file.at(address + 24, 16 * used + 8);
    const children = Array.from({ length: used }, (_, i) => wordAt(body, 8 + 16 * i));
    for (const child of children) {
      if (level > MAX_DEPTH) throw new Error('the tree of a group in it is too deep');
      if (level > 0) await node(child);
      else await leaf(child);
    }
  };
  const leaf = async (address: number): Promise<void> => {
    if (visited.has(address)) throw new Error('its structure leads back to itself');
    visited.add(address);
    const head = await file.signed(address, 'SNOD', 8);
    const count = head.getUint16(6, true);
    for (let i = 0; i < count; i++) {
      const entry = await file.at(address + 8 + 40 * i, 40);
      const [nameAt, below, isLink] = [
        wordAt(entry, 0),
        wordAt(entry, 8),
        entry.getUint32(16, true) === 2,
      ];
      const name = await file.text(namesBegin + nameAt);
      entries.push(isLink ? { name } : { name, address: below });
    }
  };
  await node(tree);
  return entries;
}
