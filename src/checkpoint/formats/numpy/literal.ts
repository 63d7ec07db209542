/** What the header of a NumPy array is made of: Python literals, nothing that could be run. */
export type Literal =
  string | number | boolean | null | readonly Literal[] | ReadonlyMap<string, Literal>;

/** Levels of nesting; a structured type has three. */
const MAX_DEPTH = 8;

const token = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(-?\d+)L?|(True|False|None)|([{}()[\],:])|$)/y;

/** Parses one Python literal of plain texts, whole numbers, True, False, None and what holds them. @throws Error */
export function parseLiteral(text: string): Literal {
  token.lastIndex = 0;
  const next = (): RegExpExecArray => {
    const match = token.exec(text);
    if (match === null) throw new Error('it is no plain Python literal');
    return match;
  };
  let current = next();
  const isMark = (mark: string): boolean => current[5] === mark;
  const take = (mark: string): void => {
    if (!isMark(mark)) throw new Error(`"${mark}" is missing in it`);
    current = next();
  };
  const list = (close: string, item: () => void): number => {
    let commas = 0;
    while (!isMark(close)) {
      item();
      if (isMark(close)) break;
      take(',');
      commas++;
    }
    take(close);
    return commas;
  };
  const value = (depth: number): Literal => {
    if (depth > MAX_DEPTH) throw new Error(`it nests more than ${MAX_DEPTH} levels deep`);
    const [, single, double, digits, word, mark] = current;
    const plain = single ?? double;
    if (plain !== undefined || digits !== undefined || word !== undefined) {
      current = next();
      if (plain !== undefined) return plain;
      if (digits !== undefined) return Number(digits);
      return word === 'None' ? null : word === 'True';
    }
    if (mark === '{') {
      take('{');
      const entries = new Map<string, Literal>();
      list('}', () => {
        const key = value(depth + 1);
        if (typeof key !== 'string') throw new Error('a key in it is no text');
        if (entries.has(key)) throw new Error(`${JSON.stringify(key)} stands in it twice`);
        take(':');
        entries.set(key, value(depth + 1));
      });
      return entries;
    }
    if (mark === '(' || mark === '[') {
      take(mark);
      const items: Literal[] = [];
      const commas = list(mark === '(' ? ')' : ']', () => items.push(value(depth + 1)));
      // Brackets around one value alone are no tuple.
      return mark === '(' && items.length === 1 && commas === 0 ? items[0]! : items;
    }
    throw new Error('a value is missing in it');
  };
  const result = value(1);
  if (current[0].trim() !== '') throw new Error('something follows it');
  return result;
}
