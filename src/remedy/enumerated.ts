/** Phrases as a sentence lists them: a, b and c. */
export const enumerated = (phrases: readonly string[], last: 'and' | 'or'): string =>
  phrases.length < 2
    ? phrases.join('')
    : `${phrases.slice(0, -1).join(', ')} ${last} ${phrases.at(-1)!}`;
