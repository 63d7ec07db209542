/**
 * Where a stretch of text stands: at the beginning of a text, behind a token within it, or behind a
 * piece of the same text that was encoded before. What tokenizers put in front of a text belongs to its
 * beginning alone.
 */
export type Place = 'first' | 'later' | 'continued';
