/** Values that were used lately, up to a total weight; the least lately used leave first. */
export interface BoundedCache<Value> {
  get(key: number): Value | undefined;
  set(key: number, value: Value): void;
  clear(): void;
  /** What is held now, in the unit of `limit`. */
  readonly weight: number;
}

/**
 * Keeps small sources in memory without letting large ones fill it.
 * @param limit the most that is held, in the unit that `weigh` answers in
 */
export function boundedCache<Value>(
  limit: number,
  weigh: (value: Value) => number,
): BoundedCache<Value> {
  // A Map iterates in the order of insertion, so re-inserting on every use keeps the oldest first.
  const entries = new Map<number, Value>();
  let weight = 0;
  const remove = (key: number): void => {
    const value = entries.get(key);
    if (value === undefined) return;
    entries.delete(key);
    weight -= weigh(value);
  };
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      remove(key);
      const added = weigh(value);
      if (added > limit) return;
      entries.set(key, value);
      weight += added;
      for (const oldest of entries.keys()) {
        if (weight <= limit) break;
        remove(oldest);
      }
    },
    clear() {
      entries.clear();
      weight = 0;
    },
    get weight() {
      return weight;
    },
  };
}
