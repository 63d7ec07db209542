import type { Command } from 'commander';

/** A list of options as texts, by the name that commander gives their values. */
export type OptionValues = Readonly<Record<string, unknown>>;

/**
 * The arguments that call a command again as it was called, with some options changed: a value of
 * `undefined` leaves an option out. What an option takes by itself is not repeated.
 */
export function argumentsOf(command: Command, changes: OptionValues = {}): string[] {
  const options = command.options.flatMap(option => {
    const name = option.attributeName();
    const changed = Object.hasOwn(changes, name);
    if (!changed && command.getOptionValueSource(name) !== 'cli') return [];
    const value = (changed ? changes[name] : command.getOptionValue(name)) as
      string | number | boolean | undefined;
    if (value === undefined || value === false) return [];
    return value === true ? [option.long!] : [option.long!, String(value)];
  });
  return [command.name(), ...command.args, ...options];
}

/** Arguments as a shell reads them. */
export const shellLine = (words: readonly string[]): string =>
  words
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
