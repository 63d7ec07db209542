/** A text as a YAML scalar that is this text and nothing else, in ASCII on one line. */
export const yamlText = (text: string): string =>
  Array.from(JSON.stringify(text))
    .map(character => {
      const code = character.codePointAt(0)!;
      if (code < 0x7f) return character;
      const digits = code.toString(16);
      return code > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
    })
    .join('');

/** Letters, digits and hyphens of a name, for what jobs are called everywhere. */
export function jobName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'train-on' : `train-${plain}`;
}
