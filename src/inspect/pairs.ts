import { plainName } from '../architecture';

/** A tensor of one checkpoint, of the other, or of both. */
export interface Pair {
  readonly before?: string;
  readonly after?: string;
}

/**
 * Tensors that two checkpoints have in common: by their names, else by what they are called without what
 * wrappers, older versions and model classes add, where one alone is called so on either side. In the order
 * of the first, then what the second alone has.
 */
export function pairTensors(before: readonly string[], after: readonly string[]): Pair[] {
  const [first, second] = [new Set(before), new Set(after)];
  const left = byPlainName(before.filter(name => !second.has(name)));
  const right = byPlainName(after.filter(name => !first.has(name)));
  const taken = new Set<string>();
  const pairs = before.map((name): Pair => {
    if (second.has(name)) return { before: name, after: name };
    const plain = plainName(name);
    const [other, ...more] = right.get(plain) ?? [];
    if (other === undefined || more.length > 0 || left.get(plain)!.length > 1) {
      return { before: name };
    }
    taken.add(other);
    return { before: name, after: other };
  });
  const rest = after.filter(name => !first.has(name) && !taken.has(name));
  return [...pairs, ...rest.map(name => ({ after: name }))];
}

function byPlainName(names: readonly string[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const name of names) {
    const plain = plainName(name);
    const alike = byName.get(plain);
    if (alike) alike.push(name);
    else byName.set(plain, [name]);
  }
  return byName;
}
