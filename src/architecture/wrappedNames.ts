import { UnsupportedError } from '../errors';

/** Parts that wrappers put into tensor names, with what the wrapper is. */
const wrappers: ReadonlyMap<string, string> = new Map([
  ['_orig_mod', 'torch.compile'],
  ['module', 'DataParallel or DistributedDataParallel'],
  ['_fsdp_wrapped_module', 'FullyShardedDataParallel'],
  ['_checkpoint_wrapped_module', 'activation checkpointing'],
  ['_forward_module', 'Lightning Fabric'],
]);

/**
 * The error for a model whose tensors are all there, under names that something else was added to:
 * by a wrapper, in any place, or as one prefix of all. Undefined when that is not what is wrong.
 * @param base what the family puts before the names of its base model
 */
export function underOtherNames(
  missing: readonly string[],
  found: readonly string[],
  base: string,
): UnsupportedError | undefined {
  const part = (name: string): string[] => name.split('.').filter(word => wrappers.has(word));
  const bare = new Set(found.map(name => withoutWrappers(name)));
  const used = new Set(found.flatMap(part));
  const isThere = (name: string): boolean => spellings(name, base).some(one => bare.has(one));
  if (used.size > 0 && isMost(missing.filter(isThere).length, missing)) {
    const words = [...used].map(word => `"${word}." (${wrappers.get(word)!})`).join(' and ');
    return renamed(
      `The names of its tensors have ${words} in them`,
      [...used].map(word => `${word}.`),
    );
  }
  const prefix = commonPrefix(missing, found, base);
  if (prefix === undefined) return undefined;
  return renamed(`The names of its tensors begin with ${JSON.stringify(prefix)}`, [prefix]);
}

/** A name without the parts that wrappers put into it. */
export const withoutWrappers = (name: string): string =>
  name
    .split('.')
    .filter(word => !wrappers.has(word))
    .join('.');

/** A model's name with the base model's prefix and without it: files have either. */
const spellings = (name: string, base: string): string[] =>
  name.startsWith(base) ? [name, name.slice(base.length)] : [base + name, name];

/** Not so few that chance explains them, and more than half. */
const isMost = (count: number, of: readonly unknown[]): boolean =>
  count >= 3 && 2 * count > of.length;

/** What stands before most of the missing names where they are found. */
function commonPrefix(
  missing: readonly string[],
  found: readonly string[],
  base: string,
): string | undefined {
  const counts = new Map<string, number>();
  const byLastParts = new Map<string, string[]>();
  const key = (name: string): string => name.split('.').slice(-2).join('.');
  for (const name of found) {
    const alike = byLastParts.get(key(name)) ?? [];
    alike.push(name);
    byLastParts.set(key(name), alike);
  }
  for (const name of missing.slice(0, 64)) {
    const prefixes = new Set<string>();
    for (const other of (byLastParts.get(key(name)) ?? []).slice(0, 1000)) {
      const end = spellings(name, base).find(one => other.endsWith(`.${one}`));
      if (end !== undefined) prefixes.add(other.slice(0, -end.length));
    }
    for (const prefix of prefixes) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([a, m], [b, n]) => n - m || a.length - b.length);
  return most && isMost(most[1], missing.slice(0, 64)) ? most[0] : undefined;
}

const renamed = (what: string, taken: readonly string[]): UnsupportedError =>
  new UnsupportedError(
    `${what}, so that neither transformers nor this finds the model's own among them.`,
    `Save the model that lies inside, or take ${taken.map(word => JSON.stringify(word)).join(' and ')} off the names: load the tensors by load_file of safetensors.torch (a .bin by torch.load), and write them by save_file with ${taken.map(word => `name.replace(${JSON.stringify(word)}, "")`).join(', ')}.`,
  );

/** Throws UnsupportedError for the tensors of an adapter, which hold changes to a model. */
export function refuseAdapter(found: readonly string[]): void {
  const name = found.find(candidate => /\.(lora|vera|loha|lokr|hada)_\w+/i.test(candidate));
  if (name === undefined) return;
  throw new UnsupportedError(
    `${name} is a tensor of an adapter (as PEFT saves), which holds changes to a model rather than the model.`,
    'Merge it first: PeftModel.from_pretrained(model, folder).merge_and_unload().save_pretrained(other).',
  );
}
