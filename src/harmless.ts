/**
 * Characters that are not seen and change how others are: control characters (C0, C1) but for line feed
 * and tab, marks that turn the direction of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
 * U+2069), line and paragraph separators, and invisible marks that hide text in text.
 */
const steering =
  /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0001}\u{e0020}-\u{e007f}]/gu;

/**
 * Text with what would steer a terminal, or have a page show something else than is there, as escapes:
 * names and messages may hold what a file from anywhere said. In JSON the escapes mean the same text.
 */
export const harmless = (text: string): string =>
  text.replace(steering, character =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
