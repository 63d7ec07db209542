import { isDark, themeColor } from '../shared/theme';

/** How the curves of a method are drawn. */
export interface MethodLook {
  readonly color: string;
  /** Lengths of dashes and gaps in pixels; empty for a line drawn through. */
  readonly dash: readonly number[];
}

/**
 * Colours on light and on dark; each at least 3:1 against its background. The same as in the report
 * (src/run/compare/page/style.ts), so that a method looks the same in both.
 */
const colors = [
  ['#0b62c4', '#6cb0ff'],
  ['#c8470c', '#ff9a62'],
  ['#0a7d55', '#4fd6a0'],
  ['#8a3ab9', '#cf9bff'],
  ['#8f6a00', '#e6c04a'],
  ['#00798c', '#4fd1e0'],
  ['#c2327a', '#ff8ac2'],
  ['#5c7a00', '#b5d34d'],
  ['#9c3d3d', '#f2a0a0'],
  ['#4b4fc4', '#a5a8ff'],
  ['#5d6b7a', '#a9b6c4'],
  ['#7a4f2b', '#d8a878'],
] as const;

/** So that no method is told by its colour alone; the first is drawn through. */
const dashes = [[], [8, 4], [2.5, 3], [10, 3, 2.5, 3], [5, 2], [1, 3]] as const;

/** Training from scratch, which all are measured against. */
const yardstick = 'random';

/** The look of each method, by its place among the others; training from scratch is always plain. */
export function methodLooks(methods: readonly string[]): ReadonlyMap<string, MethodLook> {
  const others = methods.filter(method => method !== yardstick);
  const looks = new Map<string, MethodLook>();
  others.forEach((method, index) => {
    const [light, dark] = colors[index % colors.length]!;
    looks.set(method, {
      color: isDark() ? dark : light,
      dash: dashes[index % dashes.length]!,
    });
  });
  const plain = themeColor('--vscode-descriptionForeground', isDark() ? '#9d9d9d' : '#6b6b6b');
  return looks.set(yardstick, { color: plain, dash: [] });
}
