import { isRecord } from './jsonFiles';

/** What helps against a record without a text. */
const textRemedy =
  'Each line of JSON lines is one object with its text in "text" or "content"; rename the field that holds it, for example with: jq -c \'{text: .body}\'.';

/** What can be wrong with a record, to be said behind the name of its line. */
export class BadRecord extends Error {
  constructor(
    message: string,
    readonly remedy = textRemedy,
  ) {
    super(message);
  }
}

/** Where the text of a record is looked for, in this order. */
export const textFields = ['text', 'content'] as const;

/** A line of JSON with its text. */
export interface TextRecord {
  readonly text: string;
  readonly field: string;
  readonly record: Readonly<Record<string, unknown>>;
}

/** Whether a text has half a character, which no tokenizer can be given. */
const hasHalfCharacter = (text: string): boolean => /\p{Surrogate}/u.test(text);

/** Refuses half a character. Throws BadRecord. */
export function requireWhole(text: string, field: string): void {
  if (!hasHalfCharacter(text)) return;
  throw new BadRecord(
    `has half a character (a lone surrogate such as \\ud83d) in its field "${field}".`,
  );
}

/** The object that a line of JSON holds. Throws BadRecord. */
export function parseObject(line: string): Readonly<Record<string, unknown>> {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    throw new BadRecord(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (isRecord(record)) return record;
  throw new BadRecord('has no field "text" or "content": it is no object.');
}

/** Reads one JSON record. Throws BadRecord. */
export function parseRecord(line: string): TextRecord {
  const record = parseObject(line);
  for (const field of textFields) {
    const text = record[field] ?? undefined;
    if (text === undefined) continue;
    if (typeof text !== 'string') break;
    requireWhole(text, field);
    return { text, field, record };
  }
  const texts = Object.keys(record).filter(key => typeof record[key] === 'string');
  const others = texts.length > 0 ? ` Its fields that do are ${texts.slice(0, 8).join(', ')}.` : '';
  throw new BadRecord(`has no field "text" or "content" that holds a text.${others}`);
}
