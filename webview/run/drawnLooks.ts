import { yardstick } from '../../src/protocol/comparison';
import { lookColors, lookDashes, methodLooks } from '../../src/protocol/methodLooks';
import { isDark, themeColor } from '../shared/theme';

/** How the curves of a method are drawn in the theme of now. */
export interface DrawnLook {
  readonly color: string;
  /** Lengths of dashes and gaps in pixels; empty for a line drawn through. */
  readonly dash: readonly number[];
}

/** The look of each method, as in the report; training from scratch is always plain. */
export function drawnLooks(methods: readonly string[]): ReadonlyMap<string, DrawnLook> {
  const dark = isDark();
  const plain = themeColor('--vscode-descriptionForeground', dark ? '#9d9d9d' : '#6b6b6b');
  const drawn = new Map<string, DrawnLook>([[yardstick, { color: plain, dash: [] }]]);
  for (const [method, { color, dash }] of methodLooks(methods)) {
    drawn.set(method, {
      color: lookColors[color]![dark ? 'dark' : 'light'],
      dash: lookDashes[dash]!,
    });
  }
  return drawn;
}
