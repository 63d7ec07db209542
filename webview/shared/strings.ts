let translations: Readonly<Record<string, string>> = {};

/** Takes the host's translations; pages build what they show afterwards. */
export function setStrings(strings: Readonly<Record<string, string>>): void {
  translations = strings;
}

/** The text in the person's language, with {0}, {1}… filled in. English is the key. */
export function t(english: string, ...values: readonly (string | number)[]): string {
  return (translations[english] ?? english).replace(/\{(\d+)\}/g, (whole, index: string) =>
    String(values[Number(index)] ?? whole),
  );
}
