import { bytesFor, Cursor, type FileBytes } from './bytes';

/** Levels of a tree; one of a million records has three. */
const MAX_DEPTH = 16;
/** Bytes of a node that are no records: a signature, a version, a type, a sum. */
const AROUND = 10;
const MAX_NODE_BYTES = 1 << 24;

/** What records of a tree are. */
export type RecordKind = 'namesOfLinks' | 'chunks' | 'packedChunks';
const recordKinds: Readonly<Record<number, RecordKind>> = {
  5: 'namesOfLinks',
  10: 'chunks',
  11: 'packedChunks',
};

/** A record of a tree. */
export interface TreeRecord {
  readonly kind: RecordKind;
  readonly body: DataView;
}

/** A level of a tree, leaves first. */
interface Level {
  /** Records of a node at most. */
  readonly most: number;
  /** Bytes of a child's address and of how many records it has. */
  readonly pointerBytes: number;
  /** Bytes of how many records lie below a node of this level. */
  readonly totalBytes: number;
}

/**
 * All records of a tree of the newer form (version 2), of at most so many.
 * @throws Error that ends "it cannot be used: …"
 */
export async function readRecords(
  file: FileBytes,
  address: number,
  most: number,
): Promise<readonly TreeRecord[]> {
  const head = new Cursor(await file.signed(address, 'BTHD', 38), 5);
  const kind = recordKinds[head.number(1)];
  const [nodeBytes, recordBytes, depth] = [head.number(4), head.number(2), head.number(2)];
  head.skip(2);
  const [root, count, total] = [head.number(8), head.number(2), head.number(8)];
  if (kind === undefined) throw new Error('a tree in it is of no known kind');
  if (total === 0) return [];
  if (recordBytes < 1 || nodeBytes > MAX_NODE_BYTES || depth > MAX_DEPTH || total > most) {
    throw new Error('a tree in it is none');
  }
  const levels = levelsOf(nodeBytes, recordBytes, depth);
  const records: TreeRecord[] = [];
  const visited = new Set<number>();
  const visit = async (at: number, level: number, used: number): Promise<void> => {
    if (visited.has(at)) throw new Error('its structure leads back to itself');
    visited.add(at);
    if (used > levels[level]!.most) throw new Error('a tree in it is none');
    const node = new Cursor(
      await file.signed(at, level === 0 ? 'BTLF' : 'BTIN', nodeBytes),
      AROUND - 4,
    );
    for (let i = 0; i < used; i++) records.push({ kind, body: node.part(recordBytes) });
    if (records.length > total) throw new Error('a tree in it holds more than it says');
    if (level === 0) return;
    const below = levels[level - 1]!;
    for (let i = 0; i <= used; i++) {
      const child = node.number(8);
      const inside = node.number(bytesFor(levels[0]!.most));
      if (level > 1) node.skip(below.totalBytes);
      await visit(child, level - 1, inside);
    }
  };
  await visit(root, depth, count);
  if (records.length !== total) throw new Error('a tree in it holds less than it says');
  return records;
}

function levelsOf(nodeBytes: number, recordBytes: number, depth: number): readonly Level[] {
  const leaf = Math.floor((nodeBytes - AROUND) / recordBytes);
  if (leaf < 1) throw new Error('a tree in it is none');
  const levels: Level[] = [{ most: leaf, pointerBytes: 0, totalBytes: 0 }];
  let total = leaf;
  for (let level = 1; level <= depth; level++) {
    const pointerBytes = 8 + bytesFor(leaf) + levels[level - 1]!.totalBytes;
    const most = Math.floor((nodeBytes - AROUND - pointerBytes) / (recordBytes + pointerBytes));
    if (most < 1) throw new Error('a tree in it is none');
    total = (most + 1) * total + most;
    levels.push({ most, pointerBytes, totalBytes: bytesFor(total) });
  }
  return levels;
}
