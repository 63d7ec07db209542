import { isList, type Value, type Values } from './values';

/** Characters of a text that are shown of it at most. */
const SHOWN_CHARACTERS = 10_000;

/** Metadata as texts for people to read, without a prototype; of lists, how long they are. */
export function shownMetadata(values: Values): Record<string, string> {
  const shown = Object.create(null) as Record<string, string>;
  for (const [key, value] of values) shown[key] = shownValue(value);
  return shown;
}

function shownValue(value: Value): string {
  if (isList(value)) return `(${value.count} × ${value.of})`;
  const text = String(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
