import { isRecord } from './jsonFiles';

/** What can be wrong with a record, to be said behind the name of its line. */
export class BadRecord extends Error {}

/** Where the text of a record is looked for, in this order. */
export const textFields = ['text', 'content'] as const;
export type TextField = (typeof textFields)[number];

/** A line of JSON with its text. */
export interface TextRecord {
  readonly text: string;
  readonly field: TextField;
  readonly record: Readonly<Record<string, unknown>>;
}

/** Reads one JSON record. Throws BadRecord. */
export function parseRecord(line: string): TextRecord {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    throw new BadRecord(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(record)) throw new BadRecord('has no field "text" or "content": it is no object.');
  for (const field of textFields) {
    const text = record[field] ?? undefined;
    if (text === undefined) continue;
    if (typeof text !== 'string') break;
    if (/\p{Surrogate}/u.test(text)) {
      throw new BadRecord(
        `has half a character (a lone surrogate such as \\ud83d) in its field "${field}".`,
      );
    }
    return { text, field, record };
  }
  const texts = Object.keys(record).filter(key => typeof record[key] === 'string');
  const others = texts.length > 0 ? ` Its fields that do are ${texts.slice(0, 8).join(', ')}.` : '';
  throw new BadRecord(`has no field "text" or "content" that holds a text.${others}`);
}

/** What helps against a bad record. */
export const recordRemedy =
  'Each line of JSON lines is one object with its text in "text" or "content"; rename the field that holds it, for example with: jq -c \'{text: .body}\'.';
