import { basename, dirname, sep } from 'node:path';
import { liesBeside, usualFiles } from '../../protocol/weightNames';
import { hubPlaceOf } from '../../protocol/hubReference';
import { readSiblingName, type OutputSibling } from '../../protocol/outputNames';
import type { CheckpointSummary } from '../../protocol/service';
import { hasUsualName } from './weightsFile';

/** A file that was looked into. */
export interface Found {
  /** Of the file or index. */
  readonly path: string;
  readonly summary?: CheckpointSummary;
  readonly failure?: { readonly message: string; readonly remedy: string };
  /** It lies in a folder that a run set aside to replace it, and was stopped before it had done so. */
  readonly setAside?: boolean;
}

/** A found checkpoint in its place. */
export interface CheckpointNode extends Found {
  readonly label: string;
  readonly children: CheckpointNode[];
  readonly parent: CheckpointNode | undefined;
  /** Where it lies in the workspace, when others beside it in the tree have the same label. */
  readonly place?: string;
}

const shard = /^(.*)-\d{5}-of-(\d{5})\.(safetensors|bin|gguf)$/;

/** The files that may be a checkpoint each: shards stand behind their index, or the first of them. */
export function candidates(paths: readonly string[]): string[] {
  const indexed = new Set(
    paths
      .filter(path => path.endsWith('.index.json'))
      .map(path => path.slice(0, -'.index.json'.length)),
  );
  const begun = new Set<string>();
  return [...paths].sort().filter(path => {
    if (liesBeside(basename(path))) return false;
    const match = shard.exec(path);
    if (!match) return true;
    const [, base, count, end] = match as unknown as [string, string, string, string];
    const series = `${base} of ${count} ${end}`;
    if (indexed.has(`${base}.${end}`) || begun.has(series)) return false;
    begun.add(series);
    return true;
  });
}

/** What a checkpoint is called: by its folder where the file has a usual name, by its model in the Hub's cache. */
export const labelOf = (path: string): string =>
  basename(hasUsualName(path) ? (hubPlaceOf(path)?.id ?? dirname(path)) : path);

/** Labels by path: where several files of a folder would be called by it, those after the first are not. */
function labelsOf(found: readonly Found[]): Map<string, string> {
  const labels = new Map<string, string>();
  const called = new Set<string>();
  const byRank: Found[][] = [...usualFiles, 'others'].map(() => []);
  for (const each of found) {
    const place = usualFiles.indexOf(basename(each.path));
    byRank.at(place)!.push(each);
  }
  for (const { path } of byRank.flat()) {
    const folder = dirname(path);
    const isSecond = hasUsualName(path) && called.has(folder);
    if (hasUsualName(path)) called.add(folder);
    labels.set(path, isSecond ? `${basename(folder)}/${basename(path)}` : labelOf(path));
  }
  return labels;
}

/** What is wrong with a checkpoint without where it lies, which its row in the tree tells. */
export function shortReason(path: string, message: string): string {
  const own = message.startsWith(path) ? message.slice(path.length) : message;
  return own.replaceAll(dirname(path) + sep, '').replace(/^[:\s]+/, '');
}

/** What of a run that was stopped while it replaced a folder lies at a path; undefined of others. */
export function siblingAt(path: string): OutputSibling | undefined {
  for (const name of path.split(/[\\/]/)) {
    const sibling = readSiblingName(name);
    if (sibling) return sibling;
  }
  return undefined;
}

/** Whether it can be grown, and be what others were grown from. */
export const isUsable = ({ summary, setAside }: Found): boolean =>
  summary?.kind === 'model' && setAside !== true;

/**
 * Puts grown checkpoints under what they were grown from; parts of others are left out. What cannot be
 * used stands below nothing, and nothing below it.
 */
export function arrange(
  found: readonly Found[],
  parentOf: (child: Found) => Found | undefined,
): CheckpointNode[] {
  const shown = found.filter(
    ({ summary }) => summary?.kind !== 'part' && summary?.kind !== 'other',
  );
  const labels = labelsOf(shown);
  const nodes = new Map<Found, CheckpointNode>();
  const place = (each: Found, below: ReadonlySet<Found>): CheckpointNode => {
    const existing = nodes.get(each);
    if (existing) return existing;
    const above = isUsable(each) ? parentOf(each) : undefined;
    // Receipts may name each other in a circle when folders were swapped.
    const parent =
      above && isUsable(above) && !below.has(above)
        ? place(above, new Set([...below, each]))
        : undefined;
    const node: CheckpointNode = { ...each, label: labels.get(each.path)!, children: [], parent };
    nodes.set(each, node);
    parent?.children.push(node);
    return node;
  };
  const roots = shown.map(each => place(each, new Set([each]))).filter(node => !node.parent);
  for (const { children } of nodes.values()) children.sort(inOrder);
  return roots.sort(inOrder);
}

/** Compares as people count: model-2 comes before model-10. */
export const natural = new Intl.Collator(undefined, { numeric: true });

/** Models first, then what is something else. */
function inOrder(a: CheckpointNode, b: CheckpointNode): number {
  const rank = ({ summary }: CheckpointNode): number => (summary?.kind === 'model' ? 0 : 1);
  return rank(a) - rank(b) || natural.compare(a.label, b.label) || natural.compare(a.path, b.path);
}
