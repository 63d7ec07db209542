import { plainName, type PlainName } from '../architecture';

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
    const [other, ...more] = right.get(plain.name) ?? [];
    const isOnlyOne = more.length === 0 && left.get(plain.name)!.length === 1;
    if (other === undefined || !isOnlyOne || areOfOtherFamilies(plain, plainName(other))) {
      return { before: name };
    }
    taken.add(other);
    return { before: name, after: other };
  });
  const rest = after.filter(name => !first.has(name) && !taken.has(name));
  return [...pairs, ...rest.map(name => ({ after: name }))];
}

/** Whether names say that they are of different models, which may call layers alike. */
const areOfOtherFamilies = (a: PlainName, b: PlainName): boolean =>
  a.prefix !== '' && b.prefix !== '' && a.prefix !== b.prefix;

function byPlainName(names: readonly string[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const name of names) {
    const { name: plain } = plainName(name);
    const alike = byName.get(plain);
    if (alike) alike.push(name);
    else byName.set(plain, [name]);
  }
  return byName;
}
