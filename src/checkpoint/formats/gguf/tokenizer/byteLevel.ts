/** GPT-2's letter for every byte: printable ones stand for themselves, the others for letters from U+0100 on. */
function lettersOfBytes(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
}

const letters = lettersOfBytes();
const alphabet = new Set(letters);

/** Whether a token is written in GPT-2's letters of bytes. */
export const isByteLevel = (token: string): boolean =>
  Array.from(token).every(one => alphabet.has(one));

/** A token in GPT-2's letters of bytes. */
export const asByteLevel = (token: string): string =>
  isByteLevel(token)
    ? token
    : [...new TextEncoder().encode(token)].map(byte => letters[byte]).join('');
