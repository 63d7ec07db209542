/** What `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A parsed JSON object: a configuration, a header. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Bounds that keep a hostile text from taking memory out of proportion to its length. */
export interface JsonLimits {
  /** Levels of nesting. */
  readonly depth: number;
  /** Keys of the largest object. */
  readonly keys: number;
}

/** Tells an object from the other things `JSON.parse` returns. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Walks a JSON text before it is parsed and names what `JSON.parse` would hide or choke on: a key
 * that stands twice in one object, too many keys, nesting too deep. Undefined when there is nothing
 * to say; whether the text is JSON at all is left to `JSON.parse`.
 */
function jsonProblem(text: string, limits: JsonLimits): string | undefined {
  // One entry a level: the keys seen so far for an object, undefined for an array.
  const levels: (Set<string> | undefined)[] = [];
  let keyIsNext = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: {
        // [
        const isObject = text.charCodeAt(at) === 0x7b;
        if (levels.length === limits.depth) return `it nests more than ${limits.depth} levels deep`;
        levels.push(isObject ? new Set() : undefined);
        keyIsNext = isObject;
        break;
      }
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop();
        keyIsNext = false;
        break;
      case 0x2c: // ,
        keyIsNext = levels.at(-1) !== undefined;
        break;
      case 0x22: {
        // "
        const end = endOfString(text, at);
        if (end === undefined) return undefined;
        const keys = keyIsNext ? levels.at(-1) : undefined;
        if (keys !== undefined) {
          const key = unquoted(text.slice(at, end + 1));
          if (key === undefined) return undefined;
          if (keys.has(key)) return `the name ${JSON.stringify(key)} stands in it twice`;
          // An own property of that name turns into a prototype when the object is copied.
          if (key === '__proto__') return 'it uses the reserved name "__proto__"';
          keys.add(key);
          if (keys.size > limits.keys) return `it has more than ${limits.keys} entries`;
        }
        keyIsNext = false;
        at = end;
        break;
      }
    }
  }
  return undefined;
}

/** Index of the closing quote of the string that opens at `start`, undefined when there is none. */
function endOfString(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at;
    if (code === 0x5c) at++;
  }
  return undefined;
}

function unquoted(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    // A broken escape: JSON.parse of the whole text will say so.
    return undefined;
  }
}

/**
 * Parses a JSON text that must be an object. Throws an Error whose message completes the sentence
 * "the header cannot be used: …"; callers turn it into an error that names their file.
 */
export function parseJsonObject(text: string, limits: JsonLimits): JsonObject {
  const problem = jsonProblem(text, limits);
  if (problem !== undefined) throw new Error(problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error('it is not JSON', { cause });
  }
  if (!isJsonObject(value)) throw new Error('it is JSON, but not an object');
  return value;
}
