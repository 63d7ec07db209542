import { isWithinPair } from './patterns';

/** What becomes of the stretches that match, as tokenizer.json names it. */
export const behaviors = [
  'Removed',
  'Isolated',
  'Contiguous',
  'MergedWithPrevious',
  'MergedWithNext',
] as const;
export type Behavior = (typeof behaviors)[number];

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly matches: boolean;
}

/** All of the text as stretches that match an expression (with the flag `g`) and those between. */
function stretches(text: string, expression: RegExp, invert: boolean): Stretch[] {
  const all: Stretch[] = [];
  let done = 0;
  for (const { index, 0: match } of text.matchAll(expression)) {
    if (isWithinPair(text, index, match)) continue;
    if (index > done) all.push({ start: done, end: index, matches: invert });
    all.push({ start: index, end: index + match.length, matches: !invert });
    done = index + match.length;
  }
  if (done < text.length) all.push({ start: done, end: text.length, matches: invert });
  return all;
}

/** Whether a stretch joins the one that was taken up before it. */
function joins(behavior: Behavior, stretch: Stretch, before: Stretch): boolean {
  if (behavior === 'Contiguous') return stretch.matches === before.matches;
  return stretch.matches && !before.matches;
}

/** Splits as `NormalizedString::split` of the tokenizers library does; never an empty piece. */
export function splitBy(
  text: string,
  expression: RegExp,
  behavior: Behavior,
  invert = false,
): string[] {
  const all = stretches(text, expression, invert);
  const pieces = (ranges: readonly { start: number; end: number }[]): string[] =>
    ranges.map(({ start, end }) => text.slice(start, end)).filter(piece => piece !== '');
  if (behavior === 'Isolated') return pieces(all);
  if (behavior === 'Removed') return pieces(all.filter(({ matches }) => !matches));

  const backwards = behavior === 'MergedWithNext';
  if (backwards) all.reverse();
  const merged: { start: number; end: number }[] = [];
  all.forEach((stretch, index) => {
    const last = merged.at(-1);
    const before = all[index - 1];
    if (last && before && joins(behavior, stretch, before)) {
      if (backwards) last.start = stretch.start;
      else last.end = stretch.end;
    } else merged.push({ start: stretch.start, end: stretch.end });
  });
  return pieces(backwards ? merged.reverse() : merged);
}
