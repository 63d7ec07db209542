import { yardstick } from './comparison';

/** How the curves of a method are drawn wherever methods are compared: places in the lists below. */
export interface MethodLook {
  readonly color: number;
  readonly dash: number;
}

/** Colours on light and on dark; each at least 3:1 against its background. */
export const lookColors: readonly { readonly light: string; readonly dark: string }[] = [
  { light: '#0b62c4', dark: '#6cb0ff' },
  { light: '#c8470c', dark: '#ff9a62' },
  { light: '#0a7d55', dark: '#4fd6a0' },
  { light: '#8a3ab9', dark: '#cf9bff' },
  { light: '#8f6a00', dark: '#e6c04a' },
  { light: '#00798c', dark: '#4fd1e0' },
  { light: '#c2327a', dark: '#ff8ac2' },
  { light: '#5c7a00', dark: '#b5d34d' },
  { light: '#9c3d3d', dark: '#f2a0a0' },
  { light: '#4b4fc4', dark: '#a5a8ff' },
  { light: '#5d6b7a', dark: '#a9b6c4' },
  { light: '#7a4f2b', dark: '#d8a878' },
];

/**
 * Lengths of dashes and gaps in pixels, so that no method is told by its colour alone; none for a
 * line drawn through.
 */
export const lookDashes: readonly (readonly number[])[] = [
  [],
  [8, 4],
  [2.5, 3],
  [10, 3, 2.5, 3],
  [5, 2],
  [1, 3],
];

/**
 * The look of each method but training from scratch, which is drawn plain. A look goes by the place
 * among these methods, whatever their names, so it stays when others are added behind. Each round
 * through the colours begins with another dash, so no two of the first 72 look the same.
 */
export function methodLooks(methods: readonly string[]): ReadonlyMap<string, MethodLook> {
  const others = methods.filter(method => method !== yardstick);
  return new Map(
    others.map((method, index) => {
      const round = Math.floor(index / lookColors.length);
      return [
        method,
        { color: index % lookColors.length, dash: (index + round) % lookDashes.length },
      ];
    }),
  );
}
