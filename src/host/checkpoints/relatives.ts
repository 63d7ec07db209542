import { dirname } from 'node:path';
import type { ModelSummary } from '../../protocol/model';
import { isUsable, type Found } from './checkpointTree';

/** Checkpoints that others may have been grown from, by where they lie and by their sizes. */
export class Relatives {
  private readonly byPlace = new Map<string, Found[]>();
  private readonly bySizes = new Map<string, Found[]>();

  constructor(all: readonly Found[]) {
    for (const each of all.filter(isUsable)) {
      put(this.byPlace, each.path, each);
      put(this.byPlace, dirname(each.path), each);
      put(this.bySizes, sizesOf(each.summary!.model!), each);
    }
  }

  /** The receipt's parent by where it lay; undefined when nothing known lies there. */
  parentByPath(child: Found): Found | undefined {
    const path = child.summary?.parent?.path;
    if (path === undefined) return undefined;
    return this.byPlace.get(path)?.find(other => other !== child);
  }

  /** Models of exactly the parent's sizes: what it may be when it was moved. */
  ofParentsSizes(child: Found): readonly Found[] {
    const parent = child.summary?.parent;
    if (parent === undefined) return [];
    return this.bySizes.get(sizesOf(parent))?.filter(other => other !== child) ?? [];
  }
}

function put(lists: Map<string, Found[]>, key: string, each: Found): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [each]);
  else list.push(each);
}

const sizesOf = ({ modelClass, layers, hidden, parameters }: ModelSummary): string =>
  `${modelClass} ${layers} ${hidden} ${parameters}`;
