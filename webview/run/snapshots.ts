import { poolTo, type Matrix } from '../heatmap/matrix';
import { limitOf, type LimitKind } from '../heatmap/scale';
import type { MatrixSnapshot } from './runState';

/** Whether values are shown, or how far they moved since the first snapshot. */
export type Shown = 'values' | 'change';

/**
 * b − a, element by element; pooled matrices give the difference of what was pooled. Of two pictures of
 * different size the larger one is made as small as the other.
 */
export function difference(a: Matrix, b: Matrix): Matrix {
  const before = poolTo(a, b.rows, b.columns);
  const after = poolTo(b, before.rows, before.columns);
  const values = after.values.map((value, index) => value - (before.values[index] ?? NaN));
  return { ...after, values };
}

/**
 * The operators of a run through time, and for each one scale that holds for all its snapshots. What
 * was computed for a snapshot is kept, so that a new one costs only itself.
 */
export class OperatorHistory {
  #snapshots: readonly MatrixSnapshot[] = [];
  readonly #limits = new Map<string, { readonly of: Matrix; readonly limit: number }[]>();
  readonly #totals = new Map<string, number>();
  readonly #byName = new WeakMap<MatrixSnapshot, ReadonlyMap<string, Matrix>>();
  readonly #differences = new WeakMap<Matrix, Matrix>();

  /** Takes the snapshots as they are now. */
  set(snapshots: readonly MatrixSnapshot[]): void {
    this.#totals.clear();
    this.#snapshots = snapshots;
  }

  get snapshots(): readonly MatrixSnapshot[] {
    return this.#snapshots;
  }

  /** The operator at a snapshot, or undefined where it has none of that name. */
  matrix(name: string, index: number, shown: Shown): Matrix | undefined {
    const matrix = this.#values(name, index);
    const first = shown === 'change' ? this.#values(name, 0) : undefined;
    if (matrix === undefined || first === undefined) return matrix;
    let change = this.#differences.get(matrix);
    if (change === undefined) {
      change = difference(first, matrix);
      this.#differences.set(matrix, change);
    }
    return change;
  }

  /** The limit of an operator's scale: the largest of its snapshots' own. */
  limit(name: string, kind: LimitKind, shown: Shown): number {
    const key = `${name}\n${kind}\n${shown}`;
    const total = this.#totals.get(key);
    if (total !== undefined) return total;
    const known = this.#limits.get(key) ?? [];
    this.#limits.set(key, known);
    let largest = 0;
    for (let index = 0; index < this.#snapshots.length; index++) {
      const matrix = this.matrix(name, index, shown);
      if (matrix === undefined) continue;
      let entry = known[index];
      if (entry?.of !== matrix) {
        entry = { of: matrix, limit: limitOf([matrix.values], kind) };
        known[index] = entry;
      }
      largest = Math.max(largest, entry.limit);
    }
    this.#totals.set(key, largest);
    return largest;
  }

  #values(name: string, index: number): Matrix | undefined {
    const snapshot = this.#snapshots[index];
    if (snapshot === undefined) return undefined;
    let names = this.#byName.get(snapshot);
    if (names === undefined) {
      names = new Map(snapshot.operators.map(operator => [operator.name, operator]));
      this.#byName.set(snapshot, names);
    }
    return names.get(name);
  }
}
