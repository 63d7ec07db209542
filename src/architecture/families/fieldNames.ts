import type { Note } from '../../errors';
import { shortJson } from '../../format';
import type { ModelConfig } from '../architecture';

/** Further names of a family's fields, by the name the family itself uses. */
export type Aliases = Readonly<Record<string, string>>;

const given = (config: ModelConfig, name: string): boolean => config[name] !== undefined;

/**
 * config.json under the family's own names. transformers sets aliases (`attribute_map`) last, so that
 * they win over the family's own name.
 */
export function underOwnNames(config: ModelConfig, aliases: Aliases): ModelConfig {
  const own = Object.entries(aliases).filter(([, alias]) => given(config, alias));
  return { ...config, ...Object.fromEntries(own.map(([name, alias]) => [name, config[alias]])) };
}

/** Changed fields under the names that config.json has for them: both, where it has both. */
export function asWritten(
  config: ModelConfig,
  changes: Readonly<Record<string, unknown>>,
  aliases: Aliases,
): ModelConfig {
  const fields = Object.entries(changes).flatMap(([name, value]) => {
    const alias = aliases[name];
    const hasAlias = alias !== undefined && given(config, alias);
    const names = hasAlias ? (given(config, name) ? [name, alias] : [alias]) : [name];
    return names.map(written => [written, value] as const);
  });
  return { ...config, ...Object.fromEntries(fields) };
}

/** Says so when config.json gives a field twice and not alike. */
export function notesOnAliases(config: ModelConfig, aliases: Aliases): Note[] {
  return Object.entries(aliases).flatMap(([name, alias]) => {
    if (!given(config, name) || !given(config, alias)) return [];
    if (JSON.stringify(config[name]) === JSON.stringify(config[alias])) return [];
    return [
      {
        message: `config.json gives ${name} as ${shortJson(config[name])} and ${alias} as ${shortJson(config[alias])}, which mean the same: ${alias} is used, as in transformers.`,
        remedy: `Remove the one that is wrong.`,
      },
    ];
  });
}

/** Says that a field counts for nothing, here as in transformers, and what holds instead. */
export const noteOnUnread = (field: string, value: unknown, instead: string): Note => ({
  message: `config.json's ${field} (${shortJson(value)}) is not read in this family, here as in transformers: ${instead}.`,
  remedy: 'Remove it, or check that config.json belongs to these weights.',
});

/**
 * Says so when config.json has a field that another family would read, with another value than this
 * family's own field, which alone counts.
 * @param fields the value that counts by its field, for each field that does not
 */
export function notesOnUnread(
  config: ModelConfig,
  fields: Readonly<Record<string, { readonly read: string; readonly value: unknown }>>,
): Note[] {
  return Object.entries(fields).flatMap(([unread, { read, value }]) => {
    const other = config[unread];
    if (other === undefined || other === null || other === value) return [];
    return [
      {
        message: `config.json's ${unread} (${shortJson(other)}) is not read in this family, here as in transformers: ${read} is, which makes ${shortJson(value)}.`,
        remedy: `Set ${read} if ${unread} says what was meant.`,
      },
    ];
  });
}
