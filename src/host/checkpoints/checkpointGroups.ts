import { labelOf, natural, type CheckpointNode, type Found } from './checkpointTree';

/** Checkpoints under one heading: of a folder, or those that cannot be used as they are, by why. */
export interface GroupNode {
  readonly group: 'folder' | 'unsupported' | 'damaged' | 'setAside';
  /** Of a folder its path, from the folder above that has a group. */
  readonly name: string;
  /** Tells it from all other groups, and stays. */
  readonly key: string;
  readonly children: readonly TreeNode[];
  /** Checkpoints in it that stand below no other. */
  readonly count: number;
}

/** A row of the tree. */
export type TreeNode = CheckpointNode | GroupNode;

export const isGroup = (node: TreeNode): node is GroupNode => 'group' in node;

/** More than so many checkpoints in one list have their folders shown. */
export const many = 15;

/**
 * The rows of the tree: what can be used first, and at the end the rest by what keeps it from being used;
 * each by folder where there is much of it.
 * @param placeOf the folders from the workspace down to what a checkpoint is called by
 */
export function groupCheckpoints(
  roots: readonly CheckpointNode[],
  placeOf: (node: CheckpointNode) => readonly string[],
): TreeNode[] {
  const trouble: Record<Trouble, CheckpointNode[]> = { unsupported: [], damaged: [], setAside: [] };
  const usable: Placed[] = [];
  for (const node of roots) {
    const kind = troubleOf(node);
    if (kind === undefined) usable.push({ node, place: placeOf(node) });
    else trouble[kind].push(node);
  }
  const groups = (Object.keys(trouble) as Trouble[]).flatMap((group): GroupNode[] => {
    const placed = trouble[group].map(node => ({ node, place: placeOf(node) }));
    const children = byFolder(placed, sharedDepth(placed, 0), `${group}/`);
    return children.length === 0
      ? []
      : [{ group, name: '', key: group, children, count: placed.length }];
  });
  return [...byFolder(usable, sharedDepth(usable, 0), ''), ...groups];
}

/** Folders from the workspace down to a checkpoint, given its path from there. */
export const placeFrom = (relativePath: string): readonly string[] => {
  const parts = relativePath.split(/[\\/]/);
  const isNamedByFolder = labelOf(relativePath) !== parts.at(-1);
  return parts.slice(0, isNamedByFolder ? -2 : -1);
};

/** Whether two trees show the same of the same checkpoints, each as it was looked into. */
export function sameRows(a: readonly TreeNode[], b: readonly TreeNode[]): boolean {
  return (
    a.length === b.length &&
    a.every((node, index) => {
      const other = b[index]!;
      const same =
        isGroup(node) || isGroup(other) ? keyOf(node) === keyOf(other) : sameFacts(node, other);
      return same && sameRows(node.children, other.children);
    })
  );
}

const keyOf = (node: TreeNode): string | undefined =>
  isGroup(node) ? `${node.group}#${node.key}` : undefined;

const sameFacts = (a: CheckpointNode, b: CheckpointNode): boolean =>
  a.path === b.path &&
  a.place === b.place &&
  a.setAside === b.setAside &&
  a.summary === b.summary &&
  a.failure === b.failure;

type Trouble = Exclude<GroupNode['group'], 'folder'>;

interface Placed {
  readonly node: CheckpointNode;
  readonly place: readonly string[];
}

function troubleOf({ summary, failure, setAside }: Found): Trouble | undefined {
  if (setAside) return 'setAside';
  if (failure || summary?.kind === 'broken') return 'damaged';
  return summary?.kind === 'unsupported' ? 'unsupported' : undefined;
}

/** Rows of checkpoints that share the first `depth` folders, below a heading that `above` tells. */
function byFolder(items: readonly Placed[], depth: number, above: string): TreeNode[] {
  if (items.length <= many) return leaves(items);
  const folders = new Map<string, Placed[]>();
  const alone: Placed[] = [];
  for (const item of items) {
    const name = item.place[depth];
    const others = name === undefined ? alone : (folders.get(name) ?? []);
    others.push(item);
    if (name !== undefined) folders.set(name, others);
  }
  const groups: GroupNode[] = [];
  for (const inside of folders.values()) {
    if (inside.length === 1) {
      alone.push(...inside);
      continue;
    }
    // Folders that hold nothing but one folder take no rows of their own.
    const end = sharedDepth(inside, depth);
    const path = inside[0]!.place.slice(0, end);
    groups.push({
      group: 'folder',
      name: path.slice(depth).join('/'),
      key: above + path.join('/'),
      children: byFolder(inside, end, above),
      count: inside.length,
    });
  }
  groups.sort((a, b) => natural.compare(a.name, b.name));
  const order = new Map(items.map((item, index) => [item, index]));
  alone.sort((a, b) => order.get(a)! - order.get(b)!);
  return [...groups, ...leaves(alone)];
}

/** How many folders all items have in common, from `depth` on. */
function sharedDepth(items: readonly Placed[], depth: number): number {
  const [first] = items;
  let end = depth;
  while (
    first?.place[end] !== undefined &&
    items.every(({ place }) => place[end] === first.place[end])
  ) {
    end++;
  }
  return end;
}

/** Checkpoints in their order; where labels are the same, with their places. */
function leaves(items: readonly Placed[]): CheckpointNode[] {
  const counts = new Map<string, number>();
  for (const { node } of items) counts.set(node.label, (counts.get(node.label) ?? 0) + 1);
  return items.map(({ node, place }) =>
    counts.get(node.label)! > 1 && place.length > 0 ? { ...node, place: place.join('/') } : node,
  );
}
